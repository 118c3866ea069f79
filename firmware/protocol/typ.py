"""The `typ` under which each kind of thing is signed: a signature under one never counts for another."""

HEARTBEAT = "fenghuo.heartbeat.v1"
RECEIPT = "fenghuo.receipt.v1"
COMMAND = "fenghuo.command.v1"
REPLY = "fenghuo.reply.v1"
CHECKPOINT = "fenghuo.checkpoint.v1"
BASE = "fenghuo.base.v1"
TICK = "fenghuo.tick.v1"
