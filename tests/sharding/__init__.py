"""Several event stores behind one catalogue: the reservation protocol of decision 32, as a model and as a
simulation on two PostgreSQL servers. No product code imports this.
"""
