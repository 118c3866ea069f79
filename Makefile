# Two commands for a newcomer: `make run` and `make test`. Both install all they need, here and by Debian's packages.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

IMAGE_PACKAGES := squashfs-tools u-boot-tools mtools dosfstools e2fsprogs bmap-tools rauc swig gcc-aarch64-linux-gnu libc6-dev-arm64-cross binutils \
	kmod xz-utils systemd
MACHINE ?= $(or $(FENGHUO_MACHINE),arm64)
# What the board is emulated by, and what the root's one C library is compiled by.
QEMU_arm64 := qemu-system-arm device-tree-compiler
QEMU_amd64 := qemu-system-x86 gcc libc6-dev
MACHINE_PACKAGES := $(IMAGE_PACKAGES) $(QEMU_$(MACHINE)) qemu-utils socat fdisk
hil slice: export FENGHUO_MACHINE := $(MACHINE)

.PHONY: run test check bench fuzz hil slice image docs clean help

help:            ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

run: $(STAMP)    ## the demo: a burglary at a simulated bank branch. ARGS="--stay" keeps it running
	$(BIN)/fenghuo demo $(ARGS)

test: $(STAMP)   ## all tests, against a real Mosquitto
	.ci/packages mosquitto strace e2fsprogs mount ffmpeg mtools fdisk bmap-tools openssh-server openssh-client zsh fish iproute2 nftables \
		rauc squashfs-tools u-boot-tools cryptsetup-bin systemd dosfstools \
		libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-wqy-microhei
	$(BIN)/pytest -n 3 --dist loadgroup $(ARGS)

check: $(STAMP)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)  ## the table of DESIGN §6, each figure against a yardstick of the same run
	.ci/packages mosquitto ffmpeg $(MACHINE_PACKAGES)
	$(BIN)/python -m hil.bench $(ARGS)

fuzz: $(STAMP)   ## a million random and mutated frames for every parser of outside bytes. ARGS="--frames 1000"
	$(BIN)/python -m hil.fuzz.main $(ARGS)

RIG ?= machine
hil: $(STAMP)    ## the scenarios on a rig, with a report: RIG=desk, machine (MACHINE=amd64: not arm64) or bench
	.ci/packages mosquitto mount ffmpeg $(if $(filter machine,$(RIG)),$(MACHINE_PACKAGES))
	$(BIN)/pytest hil/scenarios --rig $(RIG) --long --rig-report build/hil/$(RIG) $(ARGS)

slice: $(STAMP)  ## five scenarios in a virtual machine: burglary, hold-up, a power cut, both watchdogs. MACHINE=amd64
	.ci/packages mosquitto mount $(MACHINE_PACKAGES)
	$(BIN)/pytest hil/scenarios --rig machine -m slice $(ARGS)

docs: $(STAMP)   ## write what is generated: schemas, vectors, diagrams, conformance
	$(BIN)/python -m firmware.protocol.schemas docs/schemas
	$(BIN)/python -m firmware.protocol.vectors docs/vectors
	$(BIN)/python -m firmware.protocol.asyncapi docs/asyncapi.json
	$(BIN)/python -m firmware.protocol.vocabulary_table docs/alarm-center.md
	$(BIN)/python -m rules.diagram docs/rules.md
	$(BIN)/python -m provisioning.loop_table docs/wiring.md
	$(BIN)/python -m tests.conformance.page docs/conformance.md

image: $(STAMP)  ## the flashable system and its release files, into build/image. ARGS="--keys DIR" signs with yours
	.ci/packages $(IMAGE_PACKAGES)
	$(BIN)/python -m images.make $(ARGS)

clean:           ## what was built
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(STAMP): pyproject.toml
	.ci/venv $(PYTHON) $(VENV)
	@echo "Installing Fenghuo and what it needs into $(VENV): about a minute, this once. 正在安装,约一分钟。"
	$(BIN)/pip install --disable-pip-version-check --editable '.[dev]'
# Without its fork of pyserial, which would take the place of ours; what else labgrid needs is in `dev`.
	$(BIN)/pip install --disable-pip-version-check --no-deps 'labgrid>=25'
	touch $@
