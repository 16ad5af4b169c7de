"""How the weights of the delineation net were made; needs torch (extra ``train``), which nothing else in the package does."""
