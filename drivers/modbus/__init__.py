"""Modbus RTU: input, relay and analogue modules on an RS-485 bus. Only a bus child imports `bus` and `wire`."""
