"""What acts and what learns: the contract, experience, networks, learners, export, server."""
