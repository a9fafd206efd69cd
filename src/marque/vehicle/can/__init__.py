"""CAN: frames of a real car's buses, decoded with the DBC files of `opendbc`."""
