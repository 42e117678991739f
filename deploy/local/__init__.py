"""Runs the whole system on one machine: real PostgreSQL, Redis and Kafka, without containers or root.

`make up` and the test fixtures start the same servers with the same code, so that tests prove what a
developer runs:

    supervisor.py   `make up`: locks, checks ports, starts all, watches, stops all in order
    stack.py        the servers and processes, and the environment of each
    postgres.py redis.py kafka.py     one server each: where its program comes from, and its configuration
    server.py       a child process: start, ready, stop, and the faults that tests need (kill, pause)
    child.py        the first code of every child: it makes sure that no child outlives its parent
"""
