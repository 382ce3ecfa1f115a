"""The cases: what is typed, in a folder that holds the inputs of `sounds.py` and `vectors.py`.

`sounds.jsonl` are the vectors of all clips, `sounds.oea` is their index; `v/` holds vectors of
eight dimensions, `artefacts/` what an earlier version wrote.
"""

EMBED = {
    "embed-sounds": ["oea embed a b long.wav"],
    "embed-records": ["oea embed clips.jsonl --limit 3 --storage f16 -o few.jsonl", "cat few.jsonl",
                      "cat clips.jsonl | oea embed - --shard 2/3 --encoding base64 | "
                      "oea index -o part.oea", "oea search --like a/04.wav -i part.oea"],
    "embed-texts": ["oea embed --text 'rain on a tin roof' 'a dog, barking' '¿qué?' "
                    "'<|AUDIO|> is text'"],
    "embed-npy": ["oea embed a -o a.npy", "cat a.npy", "cat a.jsonl", "cat a.meta.json"],
    "embed-parquet": ["oea embed b --storage f16 -o b.parquet", "cat b.parquet"],
    "embed-shards": ["oea embed clips.jsonl -o shards/", "cat shards/manifest.json",
                     "cat shards/audio_emb/audio_emb_0000.npy",
                     "cat shards/metadata/metadata_0000.parquet"],
}  # fmt: skip

SEARCH = {
    "search-text": ["oea search 'rain falls' -i sounds.oea -k 12"],
    "search-formats": [f"oea search 'a bell' -i sounds.oea -k 4 -f {name}"
                       for name in ("jsonl", "json", "table", "trec", "paths")],
    "search-excluding": ["oea search 'rain falls' --not 'sea waves' -i sounds.oea -f trec",
                         "oea search 'an alarm' --not 'a siren' --not 'a clock ticks' "
                         "-i sounds.oea -f trec"],
    "search-conditions": ["oea search noise -i sounds.oea -f trec --where \"kind = 'b'\"",
                          "oea search noise -i sounds.oea -f trec --min-score 0.2",
                          "oea search noise -i sounds.oea --where 'duration < 2' -k 1"],
    "search-by-sound": ["oea search --audio b/07.wav -i sounds.oea -f trec",
                        "oea search --audio long.wav -i sounds.oea -f trec -k 3",
                        "oea search --like a/03.wav -i sounds.oea -f trec"],
    "search-many": ["oea search --queries queries.jsonl -i sounds.oea -k 3 -f trec",
                    "cat texts.txt | oea search --queries - -i sounds.oea -k 2 -f table",
                    "oea search --queries queries.jsonl -i sounds.oea -k 2 --not rain -f trec"],
    "search-vectors": ["oea index v/clips.npy -o c.oea",
                       "oea search --queries v/asked.npy -i c.oea -k 2 -f trec",
                       "cat v/queries.npy | oea search --queries - -i c.oea -k 1 -f jsonl "
                       "--where \"dataset = 'north'\"",
                       "oea search --like 'yard/clip 00.wav' -i c.oea -k 3"],
}  # fmt: skip

INDEX = {
    "index-from-files": ["oea index v/clips.parquet -o p.oea", "oea index --info p.oea",
                         "cat v/lines.jsonl | oea index -o p.oea --storage f16",
                         "oea index --info p.oea",
                         "oea search --like 'yard/clip 05.wav' -i p.oea -k 4"],
    "index-changes": ["oea index v/windows.npy -o x.oea",
                      "oea index v/windows.npy -o x.oea --append",
                      "oea index v/clips.npy -o x.oea --append",
                      "oea index --delete 'yard/clip 01.wav' -o x.oea",
                      "oea index --info x.oea",
                      "oea search --queries v/asked.npy -i x.oea -k 2 -f trec",
                      "oea index --compact x.oea", "oea index --info x.oea",
                      "oea search --queries v/asked.npy -i x.oea -k 2 -f trec"],
    "index-kinds": [line for kind in ("--kind hnsw", "--storage i8")
                    for line in (f"oea index v/clips.npy -o k.oea {kind}",
                                 "oea search --queries v/asked.npy -i k.oea -k 2 -f trec")],
}  # fmt: skip

EVAL = {
    "eval-index": ["oea eval -i sounds.oea -f json -M r@1 -M r@3 -M mrr -M median-rank"],
    "eval-tasks-by-index": [
        "oea eval -i sounds.oea --task audio-to-text -f json -M r@1 -M ndcg@5",
        "oea eval -i sounds.oea --task text-to-text -f json -M map",
        "oea eval -i sounds.oea --captions one --seed 3 -f table -M r@1",
        "oea eval --queries like.jsonl -i sounds.oea --task audio-to-audio -f json -M r@2",
    ],
    "eval-queries": ["oea eval --queries queries.jsonl -i sounds.oea -f json "
                     "-M r@1 -M hnsr@3 -M tfr@3 -M delta-rank",
                     "oea eval --queries more.jsonl -i sounds.oea "
                     "--within kind -f table -M r@1"],
    "eval-uiq": ["oea gen-queries clips.jsonl --hard-negatives pairs.jsonl -o uiq.jsonl",
                 "oea eval --queries uiq.jsonl -i sounds.oea -f json -M r@1 -M hnsr@3",
                 "oea eval --queries uiq.jsonl -i sounds.oea -f table -M r@1 -M hnsr@3"],
    "eval-vectors": ["oea eval --queries v/queries.npy --corpus v/clips.parquet -f json "
                     "-M r@1 -M r@5 -M map -M ndcg@5 -M hnsr@3 -M tfr@3 -M median-rank",
                     "cat v/clips.npy | oea eval --queries - --corpus v/bare.npy -f json "
                     "-M r@1",
                     "oea eval --queries v/queries.npy --corpus v/windows.npy --allow-missing "
                     "-f json -M r@3",
                     "oea eval --queries v/queries.npy --corpus v/clips.npy --within kind "
                     "--ties trec -f json -M mrr"],
    "eval-tasks-by-vectors": [
        "oea eval --queries v/captions.npy --corpus v/clips.npy -f json -M r@5",
        "oea eval --queries v/clips.npy --corpus v/captions.npy --task audio-to-text -f json "
        "-M r@5 -M map",
        "oea eval --corpus v/captions.npy --task text-to-text -f table -M r@5",
        "oea eval --queries v/likes.npy --corpus v/clips.npy --task audio-to-audio -f json "
        "-M r@5",
    ],
    "eval-run": ["oea eval --run run.trec --qrels qrels.txt -f json -M r@2 -M ndcg@3 -M map",
                 "oea eval --run run.trec --qrels qrels.txt --ties trec -f json -M mrr",
                 "oea index v/clips.npy -o c.oea",
                 "oea search --queries v/asked.npy -i c.oea -k 8 -f jsonl > hits.jsonl",
                 "oea eval --run hits.jsonl --qrels v/queries.jsonl -f json -M r@1 -M hnsr@3"],
    "eval-baseline": ["oea eval --run other.trec --qrels qrels.txt -M r@1 -M mrr -o base.json",
                      "oea eval --run run.trec --qrels qrels.txt -M r@1 -M mrr "
                      "--baseline base.json -f json",
                      "oea eval --run run.trec --qrels qrels.txt -M r@1 -M mrr "
                      "--baseline other.trec --max-drop r@1=0 --fail-under mrr=0.9 "
                      "-o out.md -o out.xml",
                      "cat out.md", "cat out.xml"],
    "eval-formats": [f"oea eval --queries v/queries.npy --corpus v/clips.npy -M r@1 -M hnsr@3 "
                     f"--fail-under r@1=0.2 -f {name}"
                     for name in ("table", "markdown", "junit", "mteb")],
    "eval-leaks": ["oea eval -i sounds.oea -M r@1 --check-leaks trained.jsonl "
                   "--fail-under leaks=0 -f json"],
}  # fmt: skip

MINING = {
    "mine-sounds": ["oea mine-negatives sounds.oea --stats stats.json > pairs.jsonl",
                    "cat pairs.jsonl", "cat stats.json",
                    "cat sounds.jsonl | oea mine-negatives --for train -n 2 -k 5"],
    "mine-records": ["oea mine-negatives clips.jsonl --pairs 3 --keep-ratio 2"],
    "mine-vectors": ["oea mine-negatives v/clips.parquet --caption-vectors v/captions.npy "
                     "--pairs 6 -k 8 --keep-ratio 20 --range-min 1 -o pairs.jsonl "
                     "--qrels qrels.jsonl",
                     "cat pairs.jsonl", "cat pairs.stats.json", "cat qrels.jsonl",
                     "oea mine-negatives v/windows.npy --caption-vectors v/captions.npy "
                     "--max-acoustic-similarity 0.9 --for train -n 1",
                     "oea mine-negatives v/clips.parquet --caption-vectors v/captions.npy "
                     "--sampling-strategy random --seed 4 --pairs 4"],
    "mine-verdicts": ["oea mine-negatives v/clips.npy --caption-vectors v/captions.npy "
                      "--pairs 4 --verdicts verdicts.jsonl",
                      "oea mine-negatives v/clips.npy --caption-vectors v/captions.npy --explain "
                      "'yard/clip 00.wav' 'yard/clip 03.wav'"],
}  # fmt: skip

QUERIES = {
    "gen-queries": ["oea gen-queries clips.jsonl --hard-negatives pairs.jsonl --seed 1 > u.jsonl",
                    "cat u.jsonl", "oea gen-queries --check u.jsonl -f json"],
    "gen-queries-layouts": ["oea gen-queries clotho_captions_validation.csv -t question",
                            "cat v/clips.jsonl | oea gen-queries - -t keyphrase --limit 4"],
    "review-summary": ["oea review --summary verdicts.jsonl -f json",
                       "oea review --summary verdicts.jsonl -f table",
                       "oea review --summary ratings.jsonl -f json"],
}  # fmt: skip

TRAIN = {
    "train": ["oea train recipe.yaml -o trained --device cpu -j 0", "cat trained/train_log.jsonl",
              "oea embed a/04.wav -m trained -o bell.jsonl"],
}  # fmt: skip

ARTEFACTS = {
    "read-index": ["oea index --info artefacts/clips.oea",
                   "oea search --queries v/asked.npy -i artefacts/clips.oea -k 2 -f trec",
                   "oea eval --queries v/queries.npy -i artefacts/clips.oea -M mrr -f json",
                   "oea index v/windows.npy -o artefacts/clips.oea --append",
                   "oea index --info artefacts/clips.oea"],
    "read-index-of-sounds": ["oea search 'rain falls' -i artefacts/sounds.oea -k 3 -f trec",
                             "oea eval -i artefacts/sounds.oea -M r@1 -f json"],
    "read-shards": ["oea index artefacts/shards -o s.oea", "oea index --info s.oea",
                    "oea search 'a clock ticks' -i s.oea -k 12 -f trec"],
    "read-matrix": ["oea index artefacts/texts.npy -o t.oea", "oea search rain -i t.oea",
                    "oea index artefacts/clip.parquet -o t.oea", "oea search rain -i t.oea"],
    "resume-shards": ["oea embed clips.jsonl --storage f16 -o artefacts/half/",
                      "cat artefacts/half/manifest.json",
                      "oea index artefacts/half -o h.oea",
                      "oea search 'a clock ticks' -i h.oea -k 12 -f trec"],
}  # fmt: skip

CASES = EMBED | SEARCH | INDEX | EVAL | MINING | QUERIES | TRAIN | ARTEFACTS
