"""Computes with exported parameters:  innerloop export --run @navigation_2d --out policy.safetensors
                                      python read_safetensors.py policy.safetensors
Needs numpy and safetensors. A multi-layer perceptron is run by hand: h <- relu(W h + b), the last layer linear."""
import json
import sys

import numpy as np
from safetensors import safe_open

with safe_open(sys.argv[1], framework="np") as file:
    about = file.metadata()
    parameters = {name: file.get_tensor(name) for name in file.keys()}
print(about["algorithm"], "after", about["meta_iterations"], "meta-iterations:", about["parameters"])
for name, value in parameters.items():
    print(f"  {name:16} {value.shape}")

layers = sum(name.startswith("layer") and name.endswith(".weight") for name in parameters)
h = np.zeros((1, *json.loads(about["input_shape"])), np.float32).reshape(1, -1)
for l in range(layers):
    h = h @ parameters[f"layer{l}.weight"].T + parameters[f"layer{l}.bias"]
    h = np.maximum(h, 0) if l + 1 < layers else h
print("output at zero:", h[0])
