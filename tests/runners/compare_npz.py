"""compare_npz.py EVALUATION.npz ADAPT.json: `export` and `adapt` of the same tasks found the same, to the bit; and
what an evaluation's arrays say of each other."""
import json
import sys

import numpy as np

data = np.load(sys.argv[1])
found = json.load(open(sys.argv[2]))
about = json.loads(data["about"].item())
assert about["algorithm"] == found["algorithm"], about
if "returns" in data.files:
    assert (data["returns"] == np.array([task["returns"] for task in found["per_task"]])).all()
    tasks, steps = data["returns"].shape
    for k in range(steps):
        lengths, rewards = data[f"step_{k}_lengths"], data[f"step_{k}_rewards"].astype(np.float64)
        behind = np.arange(rewards.shape[2]) >= lengths[:, :, None]
        assert (rewards[behind] == 0).all() and (lengths >= 1).all()
        assert np.allclose(rewards.sum(axis=2).mean(axis=1), data["returns"][:, k], rtol=1e-5)
        assert data[f"step_{k}_observations"].shape[:3] == rewards.shape == data[f"step_{k}_actions"].shape[:3]
    names = [list(task["task"]) for task in found["per_task"]][0]
    assert json.loads(about["task_parameters"]) == names
    assert (data["task"] == np.array([list(task["task"].values()) for task in found["per_task"]])).all()
    print("a policy's evaluation,", tasks, "tasks")
else:
    metric = "accuracy" if "accuracy" in data.files else "mse"
    assert (data[metric] == np.array([task[metric] for task in found["per_task"]])).all()
    if metric == "accuracy":
        right = (data["predicted"] == data["truth"][None, :]).mean(axis=1)
        assert np.allclose(right, data["accuracy"][:, -1])
        names = data["class_names"][data["classes"]]
        assert (names == np.array([task["classes"] for task in found["per_task"]])).all()
    print(f"{metric} of", *data[metric].shape, "tasks and steps")
