"""The whole system on a bare machine: real PostgreSQL, Redis and Kafka, without containers and without root.

`make up` and the test fixtures start the same servers through the same code, so that what a test
proves is what a developer runs:

    supervisor.py   `make up`: locks, checks ports, starts all, watches, stops all in order
    stack.py        which servers and processes there are, and what each gets in its environment
    postgres.py redis.py kafka.py     one server each: where the program comes from, how it is set up
    server.py       a child process: start, ready, stop, and the faults tests need (kill, pause)
    child.py        the first code a child runs: it makes sure that no child outlives its parent
"""
