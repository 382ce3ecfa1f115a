"""Our encoders without torch: ONNX graphs over the weights that lie beside them."""
