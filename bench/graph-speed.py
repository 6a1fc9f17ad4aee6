"""How fast ONNX Runtime computes a graph, for bench/src/images.rs.

    python graph-speed.py MODEL.onnx SIDE BATCH SECONDS

One thread, its own optimisations on. Prints milliseconds to load, resident KB before and
after, and images per second of CPU time, after a warm-up. Needs onnxruntime and numpy.
"""

import sys
import time

import numpy
import onnxruntime


def resident():
    with open("/proc/self/status") as status:
        return next(line.split()[1] for line in status if line.startswith("VmRSS"))


model, side, batch, seconds = sys.argv[1], *map(int, sys.argv[2:4]), float(sys.argv[4])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
before, start = resident(), time.perf_counter()
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
load = 1000 * (time.perf_counter() - start)
name = session.get_inputs()[0].name
images = numpy.random.default_rng(1).uniform(-117, 138, (batch, 3, side, side))
images = {name: images.astype(numpy.float32)}
for _ in range(3):
    session.run(None, images)
after = resident()
start, rounds = time.process_time(), 0
while time.process_time() - start < seconds:
    session.run(None, images)
    rounds += 1
print(f"{load:.1f} {before} {after} {rounds * batch / (time.process_time() - start):.3f}")
