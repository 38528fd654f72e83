def write(bench, begun, counted):
    for r in bench.samples.rows: print(r)
