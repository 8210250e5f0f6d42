"""compare_onnx.py MODEL.onnx EXPECTED.npz ...: onnx.checker takes each model, and onnxruntime gives the outputs in
EXPECTED for the inputs in it, to 1e-5 of the largest (of 1, if that is less). Prints the largest differences."""
import sys

import numpy as np
import onnx
import onnxruntime

pairs = sys.argv[1:]
assert pairs and len(pairs) % 2 == 0, "expected pairs of files"
for file, data in zip(pairs[::2], pairs[1::2]):
    onnx.checker.check_model(onnx.load(file), full_check=True)
    expected = np.load(data)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs() if output.name in expected.files]
    assert names, f"{file}: none of its outputs is in {expected.files}"
    got = session.run(names, {i.name: expected[i.name] for i in session.get_inputs()})
    for name, values in zip(names, got):
        want = expected[name]
        assert values.shape == want.shape, f"{file}: {name} is {values.shape}, expected {want.shape}"
        difference = float(np.abs(values - want).max() / max(1.0, float(np.abs(want).max())))
        print(f"{file}: {name}: largest difference {difference:.2e}")
        assert difference <= 1e-5, f"{file}: {name} differs by {difference}"
