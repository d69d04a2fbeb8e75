#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Fits of scikit-learn's ElasticNet, as SmartWatts 2.4.1 constructs it.

    python3 tests/data/elastic_net.py >tests/data/elastic_net_golden.h

Counts as a PMU gives them: nearly collinear columns of 1e9; one column of zeros
now and then.  `pred` is what the fitted model says of the first row.
"""
import warnings

import numpy as np
import sklearn
from sklearn.linear_model import ElasticNet

warnings.filterwarnings("ignore")
rng = np.random.default_rng(7)
print("/* SPDX-License-Identifier: BSD-3-Clause */")
print("/* Written by tests/data/elastic_net.py; scikit-learn %s. */" % sklearn.__version__)
print("/* clang-format off */")
cases = []
for case in range(8):
    rows = [10, 23, 60, 60][case % 4]
    base = rng.uniform(0.1, 2e9, size=rows)
    spread = [0.01, 0.1, 0.5][case % 3]
    x = np.stack([base * rng.uniform(0.05, 3) * (1 + rng.normal(0, spread, rows)) for _ in range(4)], 1)
    x = x.clip(0).round()
    if case == 5:
        x[:, 2] = 0
    y = x @ rng.uniform(0, 2e-9, 4) + rng.uniform(0, 20) + rng.normal(0, 0.3, rows)
    fit = ElasticNet(fit_intercept=rows == 60, positive=True).fit(x, y)
    print("static const double en_x%d[] = {" % case)
    for row in x:
        print("\t" + " ".join("%d," % v for v in row))
    print("};\nstatic const double en_y%d[] = {" % case)
    for at in range(0, rows, 4):
        print("\t" + " ".join(repr(float(v)) + "," for v in y[at:at + 4]))
    print("};")
    cases.append("\t{ %d, %s, en_x%d, en_y%d, { %s }, %r, %r }," % (
        rows, "true" if rows == 60 else "false", case, case,
        ", ".join(repr(float(v)) for v in fit.coef_), float(fit.intercept_),
        float(fit.predict(x[:1])[0])))
print("static const struct { size_t rows; bool intercept; const double *x, *y; double coef[4], b, pred; } en_case[] = {")
print("\n".join(cases))
print("};")
