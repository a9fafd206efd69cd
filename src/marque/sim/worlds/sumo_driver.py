def drive(sumo, task):
    raise NotImplementedError
