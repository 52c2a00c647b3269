# For Debian 12 and 13 with Go, make, npm and Python. `make run` and `make test` install what else they need.
#
#   make run [IN=your.mp4] [ARGS="--style overlay"]   the flow video of a clip
#   make test                                        every test
#   make help                                        the other targets

SHELL := /bin/bash
.DEFAULT_GOAL := build
.PHONY: build run test vet lint go-test asan python-test go-checks bench fuzz goldens modules calibrate setup runtime gpu-runtime gpu-standin debian-build debian-test deb test-deb dist test-dist image test-image test-reproducible test-install release debian13 test-debian13 deb-debian13 test-deb-debian13 debian-deb debian-package clean help test-cluster test-survival test-scrub debian-cluster axe

# go, for the installed FFmpeg.
GO := scripts/go.sh
CLIP := testdata/clips/square-walkers.mp4
IN ?= $(CLIP)
# Debian's python3 has torch and OpenCV. Another one earlier in PATH may not.
PYTHON ?= /usr/bin/python3
# More flags for `go test`: GOTESTFLAGS=-v shows each test.
GOTESTFLAGS ?=
TIMEOUT := 10m
FUZZTIME ?= 10s

build: setup ## build ./wwflow
	$(GO) build -o wwflow .

ifeq ($(IN),$(CLIP))
run: build ## make the flow video of the sample clip, or of IN=your.mp4; ARGS are passed on
	@mkdir -p runs
	./wwflow run '$(IN)' -o runs/square-walkers-flow.mp4 --force $(ARGS)
else
run: build
	./wwflow run '$(IN)' $(ARGS)
endif

# The Python tests use one core and the Go tests seldom keep both busy, so the two run at a time.
test: debian-test runtime ## everything that CI runs
	@$(MAKE) --no-print-directory -j2 python-test go-checks

go-checks: # one after the other: they share the build cache
	@for target in vet lint go-test asan; do $(MAKE) --no-print-directory $$target || exit; done

vet:
	$(GO) vet ./...

lint:
	$(GO) tool staticcheck ./...

# -count=1: the import rule and the script tests depend on files that Go's test cache does not track.
go-test: debian-test runtime axe ## unit, contract, script and golden tests under the race detector
	$(GO) test -race -count=1 -timeout $(TIMEOUT) $(GOTESTFLAGS) ./...

# Without the slow tests that exercise no C code that others do not, and without two in which ONNX Runtime throws an exception: gcc's
# sanitizer does not find the C++ library that is loaded with it.
asan: debian-test runtime ## tests of C memory under the address sanitizer
	$(GO) test -asan -count=1 -timeout $(TIMEOUT) -skip 'OnRealPairs|^TestClips$$|^TestTimes$$|^TestShortVideos$$|^TestExamineExplainsPadding$$|^TestUnknownOperator$$' $(GOTESTFLAGS) ./decode ./encode ./flow ./flow/internal/ort ./internal/hdf5

# One thread: on a loaded machine threads wait for each other in small operators. Debian 13's PyTorch has no libuv. Printed at the end,
# because the Go tests print meanwhile.
python-test: debian-test ## the Python tests
	@echo "pytest training/tests"; out=$$(OMP_NUM_THREADS=1 USE_LIBUV=0 MALLOC_MMAP_THRESHOLD_=2000000000 MALLOC_TRIM_THRESHOLD_=8000000000 $(PYTHON) -m pytest -q -rs training/tests 2>&1); code=$$?; echo "$$out"; exit $$code

# Slurm's daemons run as root.
test-cluster: debian-cluster runtime ## the scripts of examples/ on a real Slurm and GNU parallel, on this machine
	$(GO) test -tags cluster -count=1 -timeout $(TIMEOUT) -run 'Slurm|Parallel' $(GOTESTFLAGS) ./examples

test-survival: runtime ## 200 kills of a run and of a batch, a batch of 2,000 clips, and the throughput of tiny clips
	WWFLOW_KILLS=200 WWFLOW_CLIPS=2000 $(GO) test -count=1 -timeout 60m -run '^TestKilled$$|^TestKilledResume$$|^TestResourcesStayFlat$$|^TestThroughput$$' -v ./parts ./batch

test-scrub: debian-test runtime ## an hour of scrubbing in the viewer: the memory of browser and server is bounded
	WWFLOW_SCRUB=1h $(GO) test -run '^$$' -bench '^BenchmarkMemory$$' -benchtime 1x -timeout 90m ./viewer

bench: debian-test runtime ## every benchmark
	$(GO) test -run '^$$' -bench . -benchmem ./...

fuzz: debian-build ## every fuzz target for FUZZTIME (10s) each
	@set -e; for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "$$package $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package; \
	  done; \
	done

goldens: setup ## rewrite the golden files from the current output
	@set -e; for folder in $$(grep -rl --include='*_test.go' 'flag.Bool("update"' . | xargs -n1 dirname | sort -u); do \
	  $(GO) test -count=1 $$folder -update; \
	done

modules: ## write ffmpeg7.mod, after a change of go.mod
	sed 's/go-astiav v0.16.0/go-astiav v0.39.0/' go.mod >ffmpeg7.mod
	cp go.sum ffmpeg7.sum
	go mod tidy -modfile=ffmpeg7.mod

calibrate: setup ## measure the memory of the built-in network, after a change of its graphs
	$(GO) run ./flow/internal/calibrate models/winwin-tiny

setup: debian-build runtime ## install what building and running needs: Debian packages, ONNX Runtime

runtime: # ONNX Runtime in the cache folder
	@scripts/onnxruntime.sh

axe: # axe-core in the cache folder
	@scripts/axe.sh

# PIECES=folder also writes pieces for a machine without a network. JOIN=folder installs from such pieces.
gpu-runtime: ## install ONNX Runtime with CUDA and TensorRT into the cache folder, for --ort
	@scripts/gpu-runtime.sh $(if $(JOIN),join '$(JOIN)',$(if $(PIECES),split '$(PIECES)'))

gpu-standin: debian-test gpu-runtime ## test the CUDA provider over a stand-in for CUDA
	$(GO) test -count=1 -tags standin -run StandIn $(GOTESTFLAGS) ./flow

debian-build:
	@scripts/debian.sh build

debian-test:
	@scripts/debian.sh test

debian-cluster:
	@scripts/debian.sh cluster

debian-deb:
	@scripts/debian.sh deb

debian-package:
	@scripts/debian.sh package

deb: setup debian-deb ## build dist/wwflow_VERSION_ARCH.deb for this release of Debian
	@packaging/deb.sh

# SUITE and RELEASE are the name and number of this release of Debian. Needs root and mmdebstrap.
SUITE ?= $(shell . /etc/os-release && echo $$VERSION_CODENAME)
RELEASE ?= $(shell . /etc/os-release && echo $$VERSION_ID)
test-deb: deb ## install the package in a minimal root and make a flow video there
	packaging/test-deb.sh $(SUITE) dist/wwflow_*+deb$(RELEASE)_*.deb

dist: setup debian-package ## build dist/wwflow-VERSION-linux-ARCH.tar.xz: with all libraries, for systems without FFmpeg
	@packaging/archive.sh

test-dist: dist ## run the archive in minimal roots of Debian 12 and 13, and see it refuse 11
	packaging/test-archive.sh bookworm dist/wwflow-*.tar.xz
	packaging/test-archive.sh trixie dist/wwflow-*.tar.xz
	packaging/test-archive.sh bullseye dist/wwflow-*.tar.xz

image: setup debian-package ## build dist/wwflow-VERSION-image-ARCH.tar, an OCI image, without a daemon
	@packaging/image.sh

test-image: image ## make a flow video with the image and podman
	packaging/test-image.sh dist/wwflow-*-image-*.tar

test-reproducible: setup debian-package ## build deb, archive and image twice, from two clones, and compare them
	packaging/reproducible.sh

test-install: setup ## go install of the module at a version, and its packages without C libraries
	packaging/test-install.sh

release: setup debian-package ## VERSION=x.y.z: run the tests and build dist/x.y.z with SHA256SUMS and an SBOM
	packaging/release.sh '$(VERSION)'

# Go, its module cache and the certificates are those of this machine; make installs the rest. Needs root and mmdebstrap.
DEBIAN13 := build/roots/debian13
IN_DEBIAN13 = scripts/debian-root.sh run $(DEBIAN13) "$$(go env GOROOT):/usr/local/go" "$$(go env GOMODCACHE):/root/go/pkg/mod" \
	  /etc/ssl/certs/ca-certificates.crt:/etc/ssl/certs/ca-certificates.crt \
	  "$$(realpath $${WWFLOW_TESTDATA:-../shared/data}):/src/shared/data" --

debian13: # a Debian 13 root with a clone of the last commit
	scripts/debian-root.sh make trixie $(DEBIAN13) ca-certificates git make npm
	rm -rf $(DEBIAN13)/src/wwflow
	git clone -q . $(DEBIAN13)/src/wwflow

test-debian13: debian13 ## run the tests of the last commit in a Debian 13 root
	$(IN_DEBIAN13) make -C /src/wwflow test GOTESTFLAGS='$(GOTESTFLAGS)'

deb-debian13: debian13 ## build the package of the last commit for Debian 13, in a Debian 13 root
	$(IN_DEBIAN13) make -C /src/wwflow deb
	mkdir -p dist
	cp $(DEBIAN13)/src/wwflow/dist/wwflow_*+deb13_*.deb dist/

test-deb-debian13: deb-debian13 ## install that package in a minimal root and make a flow video there
	packaging/test-deb.sh trixie dist/wwflow_*+deb13_*.deb

clean: ## remove what was built here, without the cache folder
	rm -rf wwflow runs dist build

help: ## this list
	@sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22
