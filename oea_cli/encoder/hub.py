"""Model repositories on the Hugging Face hub: their files on disk, or one line that says why not.

Hugging Face's own settings (HF_HOME, HF_TOKEN, HF_HUB_OFFLINE, HF_ENDPOINT) are honoured by its
library, which also shows the progress of a download.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from oea_cli.encoder.names import EncoderName, Placement
from oea_cli.errors import OeaError, UsageError

COMMIT = re.compile(r"[0-9a-f]{40}")
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
            raise UsageError(f"{repo}: a folder has no revision '{revision}'; repositories have")
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


def runs_remote_code(name: EncoderName, folder: Path, placement: Placement) -> bool:
    """Whether a model consists of Python that comes with it, and may run.

    Raises OeaError where it may not: it needs `--trust-remote-code`, and of a repository the whole
    commit as its revision, so that what runs is what somebody has read.
    """
    if not (modules := sorted(_code_of(folder))):
        return False
    wanted = f"{name.place} runs Python that comes with it ({modules[0]})"
    if not placement.trust_remote_code:
        raise OeaError(f"{wanted}; read it, then allow it by --trust-remote-code --revision COMMIT")
    if not Path(name.place).is_dir() and not COMMIT.fullmatch(name.revision or ""):
        raise UsageError(f"{wanted}; --revision has to pin it: the commit's 40 digits")
    return True


def _code_of(folder: Path) -> set[str]:
    """What a model's configuration names that is no class of the library that loads it."""
    found: set[str] = set()
    for path in [*folder.glob("*config.json"), *folder.glob("*/*config.json")]:
        content = _read_json(path)
        if isinstance(content, dict):
            automatic = content.get("auto_map")
            found.update(
                str(v) for v in (automatic.values() if isinstance(automatic, dict) else ())
            )
    modules = _read_json(folder / "modules.json")
    if isinstance(modules, list):
        types = {str(module.get("type")) for module in modules if isinstance(module, dict)}
        found.update(kind for kind in types if not kind.startswith("sentence_transformers."))
    return found


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # whoever loads the model says what is wrong with it


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
            f"{which} is not, or not whole, in {constants.HF_HUB_CACHE}, and HF_HUB_OFFLINE "
            "forbids to download it; unset it, or copy the cache of a machine that has it"
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
