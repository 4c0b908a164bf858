def write_report(run, network, state, data, command):
    import json

    from maskwatch_edge.files import write_atomically

    write_atomically(run / "data.json", json.dumps(data.report))
