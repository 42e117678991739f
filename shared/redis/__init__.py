"""Technical code for Redis that the processes share: a client with short time-outs, cached documents,
errors.
"""
