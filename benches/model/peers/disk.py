"""diskcache in one round: `disk.py FOLDER KEYS BYTES THREADS`. Says in JSON what each operation took, in microseconds."""
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import diskcache

folder, keys, size, threads = sys.argv[1], *map(int, sys.argv[2:5])
cache = diskcache.Cache(folder)
value = bytes(number % 251 for number in range(size))
names = ["key:%07d" % (number * 7919 % keys) for number in range(keys)]
parts = [names[start::threads] for start in range(threads)]


def set_all(part):
    for name in part:
        cache.set(name, value)


def get_all(part):
    for name in part:
        assert len(cache.get(name)) == size


def measured(pool, run):
    wall, cpu = time.perf_counter(), time.process_time()
    if threads == 1:
        run(names)
    else:
        list(pool.map(run, parts))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall": wall * 1e6 / keys, "cpu": cpu * 1e6 / keys}


with ThreadPoolExecutor(threads) as pool:
    # Each thread has a connection of its own: opened before the clock runs.
    list(pool.map(lambda _: (time.sleep(0.05), cache.get("none")), range(threads)))
    took = {"set, new": measured(pool, set_all), "set, again": measured(pool, set_all), "get": measured(pool, get_all)}
print(json.dumps(took))
