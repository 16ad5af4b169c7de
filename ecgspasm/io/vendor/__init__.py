"""Files of electrocardiographs and Holter recorders."""
