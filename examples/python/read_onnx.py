"""Runs an exported network or policy:  innerloop export --run @navigation_2d --out policy.onnx
                                       python read_onnx.py policy.onnx
Needs numpy and onnxruntime. What input and output mean stands in the file itself."""
import json
import sys

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
about = session.get_modelmeta().custom_metadata_map
for key in ("algorithm", "parameters", "input", "preprocessing", "batch_norm", "output"):
    if key in about:
        print(f"{key}: {about[key]}")

shape = json.loads(about["input_shape"])
random = np.random.default_rng(1)
samples = {i.name: random.standard_normal([4, *shape]).astype(np.float32) for i in session.get_inputs()}
for output, values in zip(session.get_outputs(), session.run(None, samples)):
    print(output.name, values.shape, values[0])
