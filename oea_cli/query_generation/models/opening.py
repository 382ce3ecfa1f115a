"""Opens writers by name: rules, the address of a server, hf:ID."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oea_cli.errors import UsageError
from oea_cli.query_generation.models.calls import Budget
from oea_cli.query_generation.models.endpoint import EndpointWriter
from oea_cli.query_generation.models.local_model import LocalWriter
from oea_cli.query_generation.models.writers import RULES_NAME, ModelWriter

LOCAL = "hf:"
SERVERS = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class CallOptions:
    """How models are called: calls at a time, seconds for an answer, repeats of a failed call,
    further tries for a query that breaks a rule, prices per million tokens, the most to spend."""

    workers: int = 4
    timeout: float = 60.0
    retries: int = 4
    ask_again: int = 2
    price_in: float = 0.0
    price_out: float = 0.0
    max_cost: float | None = None

    def budget(self) -> Budget:
        """A new budget; raises UsageError for a limit without prices."""
        if self.max_cost is not None and not (self.price_in or self.price_out):
            raise UsageError("--max-cost needs prices; give --price-in and --price-out")
        return Budget(self.price_in, self.price_out, self.max_cost)


@dataclass(frozen=True, slots=True)
class WriterNames:
    """The writers: one name for each share, and the models of the servers, in their order."""

    shares: Sequence[str] = (RULES_NAME,)
    models: Sequence[str] = ()
    device: str = "auto"

    def model_of(self) -> Mapping[str, str]:
        """The model of each server; raises UsageError unless there is one for each."""
        servers = list(dict.fromkeys(name for name in self.shares if "://" in name))
        if len(self.models) != len(servers):
            raise UsageError(
                f"--llm names {len(servers)} servers and --llm-model {len(self.models)} models; "
                "give one --llm-model per server"
            )
        return dict(zip(servers, self.models, strict=True))


def open_writers(
    names: WriterNames, calls: CallOptions, seed: int
) -> tuple[list[str], dict[str, ModelWriter]]:
    """The writer of each share, and the models among them, by the names they were given.

    Raises UsageError for an unknown name, OeaError where the openai package is missing.
    """
    model_of = names.model_of()
    writers: dict[str, ModelWriter] = {}
    for name in dict.fromkeys(names.shares):
        writer = _writer(name, model_of, names.device, calls, seed)
        if writer is not None:
            writers[name] = writer
    return list(names.shares), writers


def _writer(
    name: str, model_of: Mapping[str, str], device: str, calls: CallOptions, seed: int
) -> ModelWriter | None:
    """The model of a name; None for the rules, which need no model."""
    if name == RULES_NAME:
        return None
    if name.startswith(LOCAL) and name != LOCAL:
        return LocalWriter(name.removeprefix(LOCAL), device)
    if name.startswith(SERVERS):
        return EndpointWriter(
            name,
            model_of[name],
            workers=calls.workers,
            timeout=calls.timeout,
            retries=calls.retries,
            seed=seed,
        )
    raise UsageError(f"--llm must be rules, http://HOST/v1 or hf:ID; got '{name}'")
