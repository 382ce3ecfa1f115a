"""The paper's model: a multimodal language model with LoRA, mean pooling and two heads."""
