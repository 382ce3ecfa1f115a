"""Model repositories on the Hugging Face hub: their files on disk, or one line with the reason.

Hugging Face's own settings (HF_HOME, HF_TOKEN, HF_HUB_OFFLINE, HF_ENDPOINT) are honoured by its
library, which also shows the progress of a download.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from oea_cli.encoder.names.parsing import EncoderName, Placement
from oea_cli.errors import OeaError, UsageError

COMMIT = re.compile(r"[0-9a-f]{40}")
MODEL_FILES = {".json", ".txt", ".safetensors", ".bin", ".model", ".py", ".jinja"}
FILES = ("*.json", "*.txt", "*.safetensors", "*.model", "*.jinja", "*.py")
MAX_REASON = 300  # characters of a library's message
LOCAL = ("./", "../", "/", "~", "\\")  # how a name begins that cannot be a repository's


def snapshot(
    repo: str, revision: str | None = None, patterns: Sequence[str] | None = None
) -> tuple[Path, str | None]:
    """Return a folder with the files of a repository that match `patterns`, and their commit.

    A folder on disk passes through, with no commit. Raises OeaError for what cannot be had,
    UsageError for a revision of a folder.
    """
    folder = Path(repo).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise UsageError(
                f"{repo}: a folder has no revision '{revision}'; only repositories have"
            )
        return folder, None
    if repo.startswith(LOCAL):
        raise OeaError(f"{repo}: no such folder")
    from huggingface_hub import snapshot_download

    with explained(repo, revision):
        allowed = None if patterns is None else list(patterns)
        folder = Path(snapshot_download(repo, revision=revision, allow_patterns=allowed))
    return folder, folder.name


def full_commit(repo: str, prefix: str) -> str:
    """The 40 digits of a commit that is known by its first ones.

    From the cache where the commit is there, else from the hub. Raises OeaError where it is not.
    """
    from huggingface_hub import HfApi, constants
    from huggingface_hub.file_download import repo_folder_name

    cached = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type="model")
    found = [folder.name for folder in (cached / "snapshots").glob(f"{prefix}*")]
    if not found:
        with explained(repo, prefix):
            commits = HfApi().list_repo_commits(repo)
        found = [commit.commit_id for commit in commits if commit.commit_id.startswith(prefix)]
    if len(found) != 1:
        raise OeaError(f"{repo}: {len(found)} commits begin with {prefix}; its history has changed")
    return found[0]


@contextmanager
def explained(repo: str, revision: str | None = None) -> Iterator[None]:
    """Turn what huggingface_hub raises about a repository into an OeaError of one line."""
    # HTTPError is that of the httpx it uses, which one depends on its version.
    from huggingface_hub.errors import EntryNotFoundError, HTTPError  # type: ignore[attr-defined]

    try:
        yield
    except (OSError, ValueError, HTTPError, EntryNotFoundError) as error:
        raise OeaError(_explanation(repo, revision, error)) from error


def fetch_model(name: EncoderName) -> tuple[Path, str | None]:
    """`snapshot` of all that a library loads of a model: weights as safetensors where there are."""
    folder, commit = snapshot(name.place, name.revision, FILES)
    if commit and not any(folder.rglob("*.safetensors")):
        # A pickle: torch reads it weights-only, and executes nothing in it.
        return snapshot(name.place, name.revision, [*FILES, "*pytorch_model*.bin"])
    return folder, commit


@contextmanager
def loading(name: EncoderName, folder: Path) -> Iterator[None]:
    """Turn whatever a library raises over a model's files into an OeaError of one line."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    try:
        yield
    except OeaError:
        raise
    except Exception as error:  # of whatever kind: they come from json, torch, safetensors ...
        reason = " ".join(str(error).split()).replace(str(folder), name.place)[:MAX_REASON]
        raise OeaError(f"{name}: cannot be loaded ({type(error).__name__}: {reason})") from error


def load_pretrained(kind: Any, source: str | Path, **options: Any) -> Any:
    """Read one part of a model: its configuration, tokenizer, feature extractor or weights.

    `kind` is a class of transformers or PEFT, `source` a folder or a repository's name; `options`
    are the library's. Raises what that library raises: see `loading`.
    """
    return kind.from_pretrained(str(source), **options)


def content_of(folder: Path) -> str:
    """A hash over a model's files on disk: what stands for a commit where there is none."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.suffix in MODEL_FILES and p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def runs_remote_code(name: EncoderName, folder: Path, placement: Placement) -> bool:
    """Whether Python that comes with a model runs, because it has to and is allowed to.

    Raises OeaError where it has to and may not: it needs `--trust-remote-code`, and of a repository
    the whole commit as its revision, so that what runs is what somebody has read.
    """
    code = sorted(_own_modules(folder) | _own_classes(folder))
    if not code:
        return False
    wanted = f"{name.place} runs Python that comes with it ({code[0]})"
    if not placement.trust_remote_code:
        raise OeaError(f"{wanted}; read it, then allow it by --trust-remote-code --revision COMMIT")
    if foreign := [place for place in code if "--" in place]:
        raise OeaError(f"{name.place} runs Python of another repository, unpinned: {foreign[0]}")
    if not Path(name.place).is_dir() and not COMMIT.fullmatch(name.revision or ""):
        raise UsageError(f"{wanted}; --revision has to pin it: the commit's 40 digits")
    return True


def _own_modules(folder: Path) -> set[str]:
    """The parts of a sentence-transformers model that are not that library's."""
    modules = _read_json(folder / "modules.json") or []
    kinds = [str(module.get("type")) for module in modules if isinstance(module, dict)]
    return {kind for kind in kinds if not kind.startswith("sentence_transformers.")}


def _own_classes(folder: Path) -> set[str]:
    """The classes of a model that transformers does not know."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    found: set[str] = set()
    for path in [*folder.glob("config.json"), *folder.glob("*/config.json")]:
        content = _read_json(path)
        if isinstance(content, dict) and content.get("model_type") not in CONFIG_MAPPING:
            automatic = content.get("auto_map")
            found.update(
                str(v) for v in (automatic.values() if isinstance(automatic, dict) else ())
            )
    return found


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # whoever loads the model reports what is wrong with it


def _explanation(repo: str, revision: str | None, error: BaseException) -> str:
    from huggingface_hub import constants, errors, get_token

    site = constants.ENDPOINT
    chain = list(_chain(error))
    status = next(
        (e.response.status_code for e in chain if isinstance(e, errors.HfHubHTTPError)), 0
    )

    def is_among(*kinds: type[BaseException]) -> bool:
        return any(isinstance(item, kinds) for item in chain)

    if is_among(errors.GatedRepoError):
        return (
            f"{repo} is gated: accept its terms at {site}/{repo}, then log in with `hf auth login` "
            "or set HF_TOKEN"
        )
    if is_among(errors.RevisionNotFoundError):
        return f"{repo} has no revision '{revision}'; see {site}/{repo}/commits"
    # Without a token the hub answers 401 for what does not exist, too.
    if is_among(errors.RepositoryNotFoundError) or (status == 401 and get_token() is None):
        return (
            f"no folder and no repository '{repo}' on {site}; if it is private, log in with "
            "`hf auth login` or set HF_TOKEN"
        )
    if is_among(errors.HFValidationError):
        return f"no folder '{repo}', and it is no repository's name (OWNER/NAME)"
    if is_among(errors.OfflineModeIsEnabled) or constants.HF_HUB_OFFLINE:
        which = f"{repo} at revision '{revision}'" if revision else repo
        return (
            f"{which} is missing or incomplete in {constants.HF_HUB_CACHE}, and HF_HUB_OFFLINE "
            "forbids downloading it; unset it, or copy the cache of a machine that has it"
        )
    if status == 401:
        return f"{site} does not accept the token for {repo}; see HF_TOKEN and `hf auth whoami`"
    if status == 403:
        return f"{site} gives this token no access to {repo}; see its page {site}/{repo}"
    if status == 429:
        return f"{site} asks to wait (too many requests); try {repo} again later, or set HF_TOKEN"
    if status:
        return f"{repo}: {site} answered {status}; try again later"
    if is_among(errors.EntryNotFoundError) or not isinstance(error, OSError | ValueError):
        return f"{repo} cannot be downloaded: no connection to {site} ({_last_line(chain[-1])})"
    return f"{repo}: {_last_line(error)}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what it came from, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
