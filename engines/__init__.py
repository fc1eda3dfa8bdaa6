"""What trains, and what it leaves behind: specs, events, runs, datasets, the engines and the worker.

The record half (`spec`, `events`, `runs`, `run_reader`, `control`, `launch`, `run_queue`, `sweep_driver`, `models`,
`dataset_files` and all that they import) imports no framework and no numpy, and is what the screen may use.
"""
