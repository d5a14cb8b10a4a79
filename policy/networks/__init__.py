"""Critics and their parts. All merge late: what is seen is encoded once a state, and only the
actions' embeddings are as many as there are actions to weigh."""
