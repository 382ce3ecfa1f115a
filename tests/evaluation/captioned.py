"""Small data sets of tones and noises, as the published ones lie on disk."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile


def write_sound(path: Path, seed: int, seconds: float, rate: int = 16_000) -> Path:
    """A tone of its own in a little noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    tone = 0.3 * np.sin(2 * np.pi * (200 + 97 * seed) * time)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone + 0.01 * rng.standard_normal(len(time)), rate)
    return path


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """JSONL."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_clips(folder: Path, count: int, *, seconds: Sequence[float] = (1.0,)) -> Path:
    """Our JSONL: clips 0.wav, 1.wav ... with two captions each."""
    rows = []
    for i in range(count):
        write_sound(folder / f"{i}.wav", i, seconds[i % len(seconds)])
        rows.append({"path": f"{i}.wav", "captions": [f"tone {i}", f"a tone called {i}"]})
    return write_rows(folder / "clips.jsonl", rows)


def write_clotho(folder: Path, split: str, count: int, first: int = 0) -> Path:
    """A captions file, and the sounds in the folder of its split."""
    path = folder / f"clotho_captions_{split}.csv"
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file_name", *(f"caption_{n}" for n in range(1, 6))])
        for i in range(first, first + count):
            name = f"{split} hum {i}.wav"
            write_sound(folder / split / name, i, 1.0, 44_100)
            writer.writerow([name, *(f"hum {i}, said for the {n}th time" for n in range(5))])
    return path


def write_audiocaps(
    folder: Path, split: str, count: int, first: int = 0, captions: int = 1
) -> Path:
    """One row per caption; the sounds are called YOUTUBEID_START."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{split}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["audiocap_id", "youtube_id", "start_time", "caption"])
        for i in range(first, first + count):
            write_sound(folder / split / f"{youtube_id(i)}_30.wav", i, 1.0)
            for n in range(captions):
                writer.writerow([i * 10 + n, youtube_id(i), 30, f"a whistle {i} in room {n}"])
    return path


def youtube_id(number: int) -> str:
    """Eleven characters."""
    return f"vidE0_{number:05}"


def write_wavcaps(folder: Path) -> Path:
    """The four collections with their sounds, and a blacklist; returns the folder."""
    files = {"FreeSound": "fsd", "BBC_Sound_Effects": "bbc", "AudioSet_SL": "as"}
    for number, (name, short) in enumerate((files | {"SoundBible": "sb"}).items()):
        rows = []
        for i in range(8):
            name_of_clip = f"Y{youtube_id(i)}.wav" if short == "as" else str(100 + i)
            stem = name_of_clip.removesuffix(".wav")
            seed = 20 * number + i
            write_sound(folder / "Zip_files" / name / f"{name}_flac" / f"{stem}.flac", seed, 1.0)
            rows.append({
                "id": name_of_clip, "audio": "wav_path", "caption": f"{name} sound {i}",
                "duration": 1.0 if i < 7 else 40.0,
            })  # fmt: skip
        path = folder / "json_files" / name / f"{short}_final.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"num_captions_per_audio": 1, "data": rows}))
    blacklist = folder / "blacklist" / "blacklist_exclude_test_ac.json"
    blacklist.parent.mkdir(exist_ok=True)
    content = {"AudioSet": [f"Y{youtube_id(0)}.wav"], "FreeSound": ["100", "101"]}
    blacklist.write_text(json.dumps(content))
    return folder
