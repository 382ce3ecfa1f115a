"""Training: a recipe in, an encoder out.

`loop` is the loop itself; `examples` is what it asks of data, `batch` what it is handed.
"""

from oea_cli.training.log import StepReport
from oea_cli.training.loop import train

__all__ = ["StepReport", "train"]
