"""Hugging Face's Trainer, watched by a callback, on a tiny GPT-2 that is drawn here: nothing is downloaded.

    python examples/hf_trainer.py       # needs the packages transformers and accelerate

Its fused `c_attn` is taken apart into queries, keys and values, and each is a layer.
"""

import tempfile

import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

from condense_core import list_runs
from condense_core.hf import Watch


class Counting(Dataset):
    """Sequences that count up from somewhere, modulo 16."""

    def __len__(self) -> int:
        return 256

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        tokens = (torch.arange(12) * (1 + number % 3) + number) % 16
        return {"input_ids": tokens, "labels": tokens}


torch.manual_seed(0)
# a tenth of GPT-2's own initial scale
config = GPT2Config(vocab_size=16, n_positions=12, n_embd=32, n_layer=2, n_head=4, initializer_range=0.002)
config.bos_token_id = config.eos_token_id = 0

with tempfile.TemporaryDirectory() as folder:
    arguments = TrainingArguments(
        folder,
        max_steps=80,
        per_device_train_batch_size=32,
        learning_rate=2e-3,
        logging_steps=20,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        use_cpu=True,
    )
    Trainer(GPT2LMHeadModel(config), arguments, train_dataset=Counting(), callbacks=[Watch(name="gpt2")]).train()

with list_runs("gpt2")[0].open() as run:
    print(f"{run.id}: {run.status} at step {run.step}, loss {run.curve('loss')[1][-1]:.3f}, {len(run.layers)} layers")
    for layer in run.layers:
        now = run.table(int(run.curve(f"{layer}.lines")[0][-1]))[layer]
        print(f"{layer:32} lines {now['lines']:.0f}, coverage {now['coverage']:.0%}")
