"""The keys of a training recipe. The docstring beneath each is what its reference page says."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from oea_cli.records.recipe_files.fields import (
    Count,
    CountOrZero,
    FilePath,
    FolderOrName,
    Items,
    NotNegative,
    Number,
    Positive,
    RecipeFile,
    Section,
    Share,
)
from oea_cli.training.recipe.clips import Augment, ClipSource, Folders


class Model(Section):
    """What learns: parts of a given model (`base`), or a new one of any size."""

    base: FolderOrName | None = None
    """A backbone (repository or folder), or an encoder to go on from; without it, a new model."""
    revision: str | None = None
    """The commit or tag of a base that is a repository."""
    trainable: Literal["lora", "heads", "all"] = "lora"
    """Of a base: LoRA and the heads, the heads alone, or all weights."""
    lora_rank: Count = 16
    """Rank of the LoRA matrices."""
    lora_alpha: Count = 32
    """LoRA's updates are scaled by alpha / rank."""
    lora_dropout: Share = 0.05
    """Dropout before the LoRA matrices."""
    gradient_checkpointing: bool = False
    """Compute activations twice instead of keeping them: a third more time, far less memory."""
    hidden_size: Count = 192
    """Of a new model: width of the language model; a multiple of `text_heads`."""
    text_layers: Count = 3
    """Of a new model: layers of the language model."""
    text_mlp: Count = 512
    """Of a new model: width of the language model's MLPs."""
    text_heads: Count = 4
    """Of a new model: attention heads of the language model."""
    audio_layers: Count = 3
    """Of a new model: layers of the audio tower."""
    audio_mlp: Count = 384
    """Of a new model: width of the audio tower's MLPs."""
    audio_heads: Count = 4
    """Of a new model: attention heads of the audio tower."""
    hop_length: Count = 320
    """Of a new model: samples between two frames; Qwen2.5-Omni's 160 doubles the audio tokens."""
    initializer_range: NotNegative = 0.06
    """Of a new model: standard deviation of its first weights."""
    embedding_std: Positive = 0.5
    """Of a new model: standard deviation of its first token embeddings."""
    vocab_size: Count = 1024
    """Of a new model: sub-words; few, so that unseen words share them with seen ones."""
    dim: Count = 512
    """Dimensions of the embeddings."""
    max_seconds: Positive = 10.0
    """Longer clips become windows when they are embedded; training takes a stretch of them."""


class Stage(Section):
    """Some steps of training with one objective."""

    name: str
    """By which `--set stages.NAME.steps=100` finds the stage."""
    steps: CountOrZero = 0
    """Length in steps; or else `epochs`."""
    epochs: NotNegative = 0.0
    """Length in passes through all clips."""
    modality: Literal["pairs", "texts"] = "pairs"
    """Pairs of texts and sounds; or labels from texts alone, where the data have labels."""
    batch_size: Count = 64
    """Pairs in a step, of all processes together: each is a negative of all others."""
    micro_batch: CountOrZero = 0
    """Pairs in memory at a time; 0 is the process's whole share. It changes no result."""
    negatives_within: CountOrZero = 0
    """Pairs that are each other's negatives; 0 is the whole batch."""
    masks: bool = True
    """Do not push a text away from other sounds that it fits."""
    learning_rate: Positive = 2e-3
    """The highest learning rate of the stage."""
    final_rate: Share = 0.0
    """Share of the learning rate at which its cosine ends."""
    warmup: CountOrZero = 50
    """Steps in which the learning rate rises; at most half of the stage."""
    contrast_weight: NotNegative = 1.0
    """Weight of the contrastive loss."""
    label_weight: NotNegative = 0.0
    """Weight of the label loss at the start of the stage."""
    label_until: Share = 0.6
    """Share of the stage at which that weight reaches `label_floor`."""
    label_floor: NotNegative = 0.0
    """Weight of the label loss from there on."""
    margin_weight: NotNegative = 0.0
    """Weight of the margin by which a text must prefer its own sound to its hard negative."""
    whiten: bool = False
    """Start the heads from whitened pooled vectors."""
    patience: CountOrZero = 0
    """Validations without a better R@10 after which the stage ends, at its best; 0 is never."""
    data: Items[ClipSource] = ()
    """Clips with captions to train on."""
    hard_sounds: CountOrZero = 0
    """At most so many mined `negatives` of a clip, which its text must not find."""
    hard_texts: CountOrZero = 0
    """At most so many `negative_captions` of a clip, which it must not find."""
    exclusions: Items[FilePath] = ()
    """Files of rows {"text": "A without B", "target", "hard_negative"}, or of UIQ's rows."""
    exclusion_share: Share = 0.3
    """How often such a text takes the place of a clip's caption, where it has one."""


class Recipe(RecipeFile):
    """How an encoder is trained."""

    stages: Items[Stage]
    """What is done, one after the other."""
    seed: CountOrZero = 0
    """All that is drawn at random follows from it."""
    model: Model = Field(default_factory=Model)
    """What learns."""
    folders: Folders = Field(default_factory=Folders)
    """Where datasets lie."""
    augment: Augment = Field(default_factory=Augment)
    """How clips vary from epoch to epoch."""
    validation: Items[ClipSource] = ()
    """Clips to measure on; they are left out of the training data."""
    never: Items[FilePath] = ()
    """Test sets: left out of the training data, and refused as validation."""
    near_duplicates: Items[FilePath] = ()
    """Files of pairs of clips that sound the same, such as `oea review` writes."""
    max_missing: Share = 0.05
    """Share of a source's clips that may be missing; more stops the run before it begins."""
    optimizer: Literal["adamw", "muon"] = "adamw"
    """AdamW for all weights; or Muon for the matrices between the layers, AdamW for the rest."""
    temperature: Positive = 0.07
    """What cosines are divided by in the contrastive loss."""
    learn_temperature: bool = False
    """Learn the temperature from there on."""
    matryoshka: Items[int] = ()
    """Dimensions such as 256 and 128 whose prefixes must serve as embeddings, too."""
    hardness: NotNegative = 0.0
    """Beta: a negative counts by exp(beta x cosine / temperature) in the denominator."""
    betas: Items[Number] = (0.9, 0.98)
    """AdamW's: how much its running means of gradients and of their squares keep at each step."""
    weight_decay: NotNegative = 0.05
    """Of matrices; of biases and norms as well with `decay_norms`."""
    decay_norms: bool = False
    """Decay biases and the norms' weights, too, as torch's AdamW does over all parameters."""
    clip_norm: Positive = 1.0
    """Largest norm of the gradient; a larger one is scaled down."""
    average: Share = 0.0
    """Share of the running average of the weights that a step keeps; 0 saves the last weights."""
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    """Of the backbone; heads and loss are always float32."""
    storage: Literal["float32", "float16", "bfloat16"] = "float16"
    """Of the backbone's weights in the result, where it has learned."""
    checkpoint_every: Count = 200
    """Steps between two checkpoints."""
    validate_every: CountOrZero = 0
    """Steps between two validations; 0 is never."""
    log_every: Count = 20
    """Steps between two reports."""
    tensorboard: bool = False
    """Also write the reports for TensorBoard."""

    @property
    def num_steps(self) -> int:
        """Steps of all stages together."""
        return sum(stage.steps for stage in self.stages)

    def contradictions(self) -> Iterator[str]:
        """A line for each value that does not fit the others."""
        from oea_cli.training.recipe.contradictions import contradictions

        yield from contradictions(self)


def stage_at(recipe: Recipe, step: int) -> tuple[Stage, int]:
    """The stage of a step counted from 0, and the step within it."""
    for stage in recipe.stages:
        if step < stage.steps:
            return stage, step
        step -= stage.steps
    raise IndexError(f"the recipe has only {recipe.num_steps} steps")
