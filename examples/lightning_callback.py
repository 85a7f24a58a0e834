"""PyTorch Lightning, watched by a callback: one more argument of the Trainer. Needs the package lightning.

python examples/lightning_callback.py
"""

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from condense_core import list_runs
from condense_core.lightning import Watch


class Waves(lightning.LightningModule):
    """Two hidden layers that start small and learn a wave."""

    def __init__(self, width: int = 32, std: float = 0.02) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.first, self.second, self.out = nn.Linear(4, width), nn.Linear(width, width), nn.Linear(width, 1)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=std)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Output (N, 1) for inputs (N, 4)."""
        return self.out(torch.tanh(self.second(torch.tanh(self.first(x)))))

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        """The loss of a batch; what is logged becomes a curve."""
        x, y = batch
        loss = nn.functional.mse_loss(self(x), y)
        self.log("train_loss", loss, on_epoch=True, on_step=False)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(self.parameters(), lr=2e-3)


torch.manual_seed(0)
x = torch.rand(512, 4) * 4 - 2
data = DataLoader(TensorDataset(x, torch.sin(x[:, :1])), batch_size=128, shuffle=True)
trainer = lightning.Trainer(
    max_epochs=60,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    callbacks=[Watch(name="lightning")],
)
trainer.fit(Waves(), data)

with list_runs("lightning")[0].open() as run:
    print(f"{run.id}: {run.status} at step {run.step}, layers {', '.join(run.layers)}")
    for layer in run.layers:
        print(f"{layer}: lines {run.curve(f'{layer}.lines')[1][-1]:.0f}")
