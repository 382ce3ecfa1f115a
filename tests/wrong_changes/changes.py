"""The changes: a text of the code, what stands there instead, and the tests that must fail then."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WrongChange:
    """`right`, which stands in the file exactly once, becomes `wrong`; these tests must fail."""

    name: str
    file: str
    right: str
    wrong: str
    tests: str


CHANGES = (
    WrongChange(
        "no zero tail behind a clip",
        "encoder/omni/front_end.py",
        "max_length=math.ceil((longest + n_fft) / hop) * hop",
        "max_length=math.ceil(longest / hop) * hop",
        "tests/encoder/test_encoder.py",
    ),
    WrongChange(
        "bidirectional attention without the padding mask",
        "encoder/omni/omni.py",
        'if not layer.self_attn.is_causal or not inputs["attention_mask"][:, 0].all():',
        'if not inputs["attention_mask"][:, 0].all():',
        "tests/encoder/test_encoder.py",
    ),
    WrongChange(
        "the sign of the exclusion margin",
        "training/objective/losses.py",
        "functional.softplus((other - own) / temperature)",
        "functional.softplus((own - other) / temperature)",
        "tests/training/objective/test_losses.py",
    ),
    WrongChange(
        "--alpha with uncorrected p",
        "evaluation/scoring/gates.py",
        "not comparison.p_holm < alpha",
        "not comparison.p < alpha",
        "tests/evaluation/test_eval_gates.py",
    ),
    WrongChange(
        "the key of an embeddings server in a message",
        "encoder/others/openai_client.py",
        'line = redacted(" ".join(text.split()))',
        'line = " ".join(text.split())',
        "tests/cases/test_key_echoed.py",
    ),
    WrongChange(
        "MECAT: any caption for all",
        "clips/captions.py",
        "if all(clip in others for others in clips)]",
        "if any(clip in others for others in clips)]",
        "tests/clips",
    ),
    WrongChange(
        "--max-cost without the calls under way",
        "query_generation/models/calls.py",
        "left = self.limit - self.spent - sum(self._reserved.values())",
        "left = self.limit - self.spent",
        "tests/query_generation/test_endpoint.py",
    ),
    WrongChange(
        "a fingerprint without the tokenizer",
        "encoder/omni/fingerprint.py",
        "*(front_end / name for name in FRONT_END_FILES)",
        "*(front_end / name for name in FRONT_END_FILES[1:])",
        "tests/encoder/test_encoder.py",
    ),
    WrongChange(
        "a fingerprint without the mel settings",
        "encoder/omni/fingerprint.py",
        "*(front_end / name for name in FRONT_END_FILES)",
        "*(front_end / name for name in FRONT_END_FILES[:1])",
        "tests/encoder/test_encoder.py",
    ),
    WrongChange(
        "long texts cut from the left",
        "encoder/omni/prompts.py",
        "return ids[:limit]",
        "return ids[-limit:]",
        "tests/encoder/test_encoder.py",
    ),
    WrongChange(
        "a mel whose loudest bin must be in a frame that counts",
        "encoder/onnx/mel.py",
        "log = np.maximum(log, log.max() - np.float32(RANGE))",
        "log = np.maximum(log, log[: max(1, len(waveform) // self.hop_length)].max() - 8)",
        "tests/encoder/test_onnx.py",
    ),
    WrongChange(
        "zeros between chunks that the first convolution fills",
        "encoder/onnx/packing.py",
        "mask[start : start + len(chunk)] = 1.0",
        "mask[:] = 1.0",
        "tests/encoder/test_onnx.py",
    ),
    WrongChange(
        "an ONNX form over other weights",
        "encoder/onnx/form.py",
        "if file_sha256(path) != digest:",
        "if path.stat().st_size == 0:",
        "tests/encoder/test_onnx.py",
    ),
    WrongChange(
        "a shard's records before its vectors",
        "vectors/files/shards.py",
        "with AtomicFile(self._folder / vectors_name) as temporary:",
        'early = {"records": f"metadata/metadata_{number:04}.parquet"}\n'
        "        self._store_records(records, early, vectors.shape[1])\n"
        "        with AtomicFile(self._folder / vectors_name) as temporary:",
        "tests/vectors/test_embedding_shards.py",
    ),
    WrongChange(
        "the manifest before the last shard",
        "vectors/files/shards.py",
        "if self._held.records:",
        "_write_json(self._folder / self._part.manifest, self._described(0, 0))\n"
        "        if self._held.records:",
        "tests/vectors/test_embedding_shards.py",
    ),
    WrongChange(
        "parts by Python's hash()",
        "records/selection.py",
        "return int.from_bytes(digest) % parts == part - 1",
        "return hash(record_id) % parts == part - 1",
        "tests/records/test_selection.py",
    ),
    WrongChange(
        "patience does not go back to the best weights",
        "training/loop/run.py",
        "load_checkpoint(self.output / BEST_FILE, self.learner)\n",
        "pass\n",
        "tests/training/loop/test_runs.py",
    ),
    WrongChange(
        "no gradient clipping",
        "training/loop/run.py",
        "clip_grad_norm_(learner.modules.parameters(), self.recipe.clip_norm)",
        'clip_grad_norm_(learner.modules.parameters(), float("inf"))',
        "tests/training/loop/test_train.py",
    ),
    WrongChange(
        "--captions one with one seed for every clip",
        "evaluation/scoring/tasks.py",
        "return [choose(own) for own in rows.values()]",
        "return [Random(seed).choice(own) for own in rows.values()]",
        "tests/evaluation/test_tasks.py",
    ),
    WrongChange(
        "the optimiser's betas",
        "training/loop/optimizer.py",
        "return torch.optim.AdamW(groups, betas=rule.betas, fused=fused)",
        "return torch.optim.AdamW(groups, fused=fused)",
        "tests/training/loop/test_optimizer.py",
    ),
    WrongChange(
        "epochs that are not shuffled",
        "training/data/order.py",
        "return np.random.default_rng([*self._seed, 2, epoch]).permutation(np.concatenate(drawn))",
        "return np.concatenate(drawn)",
        "tests/training/data",
    ),
    WrongChange(
        "Muon without Nesterov's step ahead",
        "training/loop/optimizer.py",
        "ahead = torch._foreach_lerp(gradients, momenta, MOMENTUM)  # Nesterov's",
        "ahead = momenta",
        "tests/training/loop/test_optimizer.py",
    ),
    WrongChange(
        "a report without its content policy",
        "evaluation/output/report/page.html",
        "default-src 'none'; ",
        "",
        "tests/evaluation/test_report.py",
    ),
    WrongChange(
        "answers without fsync",
        "query_generation/models/answers.py",
        "        os.fsync(descriptor)\n",
        "",
        "tests/query_generation/test_answers.py",
    ),
    WrongChange(
        "sound fingerprints: the share of bits that makes two sounds one",
        "mining/fingerprints.py",
        "SAME_BELOW = 0.35",
        "SAME_BELOW = 0.395",
        "tests/mining/test_mining_duplicates.py",
    ),
    WrongChange(
        "LayerNorm before the projection",
        "encoder/omni/omni.py",
        "self.norm(self.dropout(self.linear(pooled)))",
        "self.norm(self.linear(self.dropout(nn.functional.layer_norm(pooled, pooled.shape[-1:]))))",
        "tests/encoder/test_encoder.py",
    ),
)
