"""Reads an exported evaluation:  innerloop export --run @navigation_2d --tasks 5 --out evaluation.npz
                                 python read_npz.py evaluation.npz
Needs numpy. Return, accuracy or error of every task after every gradient step; of policies also the trajectories."""
import json
import sys

import numpy as np

data = np.load(sys.argv[1])
about = json.loads(data["about"].item())
print(about["algorithm"], "on", about.get("environment", about.get("dataset")))
for name in data.files:
    print(f"  {name:22} {data[name].dtype!s:8} {data[name].shape}")

metric = next(name for name in ("returns", "accuracy", "mse") if name in data.files)
for step, values in enumerate(data[metric].T):
    print(f"{metric} after {step} steps: {values.mean():.3f} +- {values.std(ddof=1):.3f} (std over tasks)")
if "step_0_rewards" in data.files:
    mine = [data[f"step_{k}_rewards"].sum(axis=2).mean(axis=1) for k in range(data["returns"].shape[1])]
    print("returns are the sums of rewards:", np.allclose(np.stack(mine, 1), data["returns"], rtol=1e-4))
