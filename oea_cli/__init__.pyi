from oea_cli.encoder.loading import load_encoder as load_encoder
from oea_cli.encoder.protocol import Encoder as Encoder
from oea_cli.encoder.streaming.embed import embed as embed
from oea_cli.encoder.streaming.stream import stream as stream
from oea_cli.errors import Failure as Failure
from oea_cli.errors import OeaError as OeaError
from oea_cli.errors import UsageError as UsageError
from oea_cli.evaluation.evaluate import evaluate as evaluate
from oea_cli.evaluation.results import Results as Results
from oea_cli.mining.mine import MinedPairs as MinedPairs
from oea_cli.mining.mine import mine as mine
from oea_cli.records.columns import frame as frame
from oea_cli.records.inputs import read_records as read_records
from oea_cli.search.index_search import search_index as search_index
from oea_cli.vectors.batch import Batch as Batch
from oea_cli.vectors.index.folder import Index as Index
from oea_cli.vectors.index.folder import build_index as build_index
from oea_cli.vectors.index.folder import open_index as open_index
from oea_cli.vectors.opening import open_vectors as open_vectors
from oea_cli.vectors.writing import write as write

__version__: str
