#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The steps of `make bench-step` in PyTorch, on one thread.

torch.set_num_threads() does not bind Debian's OpenBLAS: OPENBLAS_NUM_THREADS=1
and OMP_NUM_THREADS=1 must be in the environment.  Times are CPU time of the
process, medians; with one thread that is what the step takes.
"""
import statistics
import time

import torch
from torch import nn

MODELS = {
    "mlp:784-256-256-10": (784,), "cnn:1x28x28,c32k3,p2,c64k3,p2,d128,10":
    (1, 28, 28)}


def make(name):
    if name.startswith("mlp"):
        return nn.Sequential(nn.Linear(784, 256), nn.ReLU(),
                             nn.Linear(256, 256), nn.ReLU(),
                             nn.Linear(256, 10))
    return nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1),
                         nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10))


def step_us(name, batch):
    net, loss = make(name), nn.CrossEntropyLoss()
    sgd = torch.optim.SGD(net.parameters(), lr=1e-3)
    x, y = torch.randn(batch, *MODELS[name]), torch.randint(10, (batch,))

    def step():
        sgd.zero_grad()
        loss(net(x), y).backward()
        sgd.step()

    for _ in range(5):
        step()
    times = []
    end = time.monotonic() + 1.0
    while time.monotonic() < end or len(times) < 7:
        start = time.process_time_ns()
        step()
        times.append((time.process_time_ns() - start) / 1e3)
    return statistics.median(times)


torch.set_num_threads(1)
print("PyTorch %s, one thread, µs" % torch.__version__)
for model in MODELS:
    print(model)
    for size in (1, 8, 32, 128):
        print("%5d  %10.1f" % (size, step_us(model, size)), flush=True)
