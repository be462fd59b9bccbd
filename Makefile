# What a person types. Each target installs the Debian packages it needs first, if it may, and says so.

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?= python3

# A directory with C++'s library as an archive and nothing else: so the linker takes that, of which a fifth is used.
STATIC := $(CURDIR)/.build/static
# Swift's runtime goes into the executable: it runs where there is no Swift. It is there once: every other program is a link.
# No symbol of it is for others (Swift's static runtime would export them all), and its 62,000 addresses that the loader
# sets are a list of 12 KB, not of 1.5 MB that every start reads (glibc 2.36 or later, as the package asks for).
RELEASE := --configuration release --static-swift-stdlib -Xswiftc -use-ld=lld \
    -Xlinker --no-export-dynamic -Xlinker -z -Xlinker pack-relative-relocs \
    -Xswiftc -L$(STATIC)
BIN := $(CURDIR)/.build/release
LINKS := intercomctl intercom-runtimes

# The C++ library is for toml++, libcurl for intercom-etcd alone: INTERCOM_WITHOUT_ETCD=1 builds everything else without it.
BUILD_PACKAGES := g++ libstdc++-12-dev libtomlplusplus-dev libseccomp-dev libsystemd-dev pkg-config \
    $(if $(INTERCOM_WITHOUT_ETCD),,libcurl4-openssl-dev)
TEST_PACKAGES := iproute2 bind9-dnsutils bind9-host bind9-utils busybox dnsmasq-base dnstap-ldns fstrm-bin haproxy iptables mandoc nftables musl-tools nsd \
    unbound util-linux python3 python3-pip
# Those of Go, Java and node are large, and not installed for it.
CLIENT_PACKAGES := curl pdns-recursor php-cli ruby wget
# Container runtimes, for tests with the real ones.
RUNTIME_PACKAGES := docker.io podman netavark aardvark-dns runc crun containerd containernetworking-plugins lxc firewalld dbus
# Prometheus with promtool; .ci/install does not let its service start.
METRICS_PACKAGES := prometheus
# A store that hosts share.
CLUSTER_PACKAGES := etcd-server etcd-client openssl
# A browser for the map: large, and not installed for it.
MAP_PACKAGES := chromium
DEMO_PACKAGES := iproute2 bind9-dnsutils dnsmasq-base util-linux python3
BENCH_PACKAGES := aardvark-dns iproute2 dnsperf dnsmasq-base nsd unbound gcc libc6-dev liburing-dev procps valgrind python3

.PHONY: all build bench-hosts lab-hosts demo demo-docker demo-host demo-hosts demo-podman demo-gate demo-tiers test test-clients test-runtimes test-metrics test-map test-cluster check lint shape format docs fuzz test-asan test-tsan \
    differential coverage floods soak bench micro instructions install install-files deb lint-deb clean need-root need-swift

all: build

build: need-swift
	@.ci/install $(BUILD_PACKAGES)
	@mkdir -p $(STATIC) && ln -sf "$$(g++ -print-file-name=libstdc++.a)" $(STATIC)/libstdc++.a
	$(SWIFT) build $(RELEASE) --product intercomd
	$(if $(INTERCOM_WITHOUT_ETCD),,$(SWIFT) build $(RELEASE) --product intercom-etcd)
	@for name in $(LINKS); do ln -sf intercomd $(BIN)/$$name; done

# Containers call each other by name, in network namespaces that are made for it and removed again.
demo: need-root
	@.ci/install $(DEMO_PACKAGES)
	@$(MAKE) --no-print-directory build
	@Tests/Demo/demo $(BIN)

# Three tiers and twenty services made with ip alone; all 400 pairs are asked, then again after each change.
demo-tiers: need-root
	@.ci/install $(DEMO_PACKAGES)
	@$(MAKE) --no-print-directory build
	@Tests/Demo/demo-tiers $(BIN)

# A dockerd of its own, with containers on its default bridge and on two networks; removed again.
demo-docker: need-root
	@.ci/install $(DEMO_PACKAGES) docker.io
	@$(MAKE) --no-print-directory build
	@Tests/Demo/demo-docker $(BIN)

# podman with containers on its default network and on two others; aardvark-dns is killed, and names go on.
demo-podman: need-root
	@.ci/install $(DEMO_PACKAGES) podman netavark aardvark-dns runc
	@$(MAKE) --no-print-directory build
	@Tests/Demo/demo-podman $(BIN)

# A sandbox that may download from a package index: its policy is learned from an audit, then enforced; eight ways out are tried.
demo-gate: need-root
	@.ci/install $(DEMO_PACKAGES) nftables openssl python3-pip
	@$(MAKE) --no-print-directory build
	@Tests/Demo/demo-gate $(BIN)

# Three hosts with an etcd each, and one network over them: README's page "Many hosts", by its own commands. A host is cut off, etcd is
# killed, and programs ask all the time.
demo-hosts: need-root
	@.ci/install $(DEMO_PACKAGES) $(CLUSTER_PACKAGES) faketime
	@$(MAKE) --no-print-directory build
	$(SWIFT) build $(RELEASE) --product intercom-etcd
	@Tests/Demo/demo-hosts $(BIN)

# A container, the host and a guest with a stack of its own find each other; records lead across. Removed again.
demo-host: need-root
	@.ci/install $(DEMO_PACKAGES) curl
	@$(MAKE) --no-print-directory build
	@Tests/Demo/demo-host $(BIN)

# All tests: those of every room, and end to end in real namespaces with the binaries that are shipped.
test: need-root
	@.ci/install $(TEST_PACKAGES)
	@$(MAKE) --no-print-directory build .build/python
	@Tests/Machine/build $(CURDIR)/.build/machine
	@[ ! -e .build/machine/missing ] || echo "skipped are tests in a booted system: $$(cat .build/machine/missing)"
	export INTERCOM_BIN=$(BIN) INTERCOM_PYTHONPATH=$(CURDIR)/.build/python INTERCOM_MACHINE=$(CURDIR)/.build/machine; \
	    $(SWIFT) build --quiet --build-tests && Tests/in-parallel $(SWIFT) test --quiet --skip-build --ignore-lock

# More clients: PHP, Ruby, PowerDNS Recursor, curl, wget; and Go, Java and node where they are installed.
test-clients: need-root
	@.ci/install $(TEST_PACKAGES) $(CLIENT_PACKAGES)
	@$(MAKE) --no-print-directory build .build/python
	@for program in go javac node; do command -v $$program >/dev/null || \
	    echo "skipped: lookups by programs that need $$program, which is not installed"; done
	INTERCOM_BIN=$(BIN) INTERCOM_PYTHONPATH=$(CURDIR)/.build/python INTERCOM_CLIENTS=1 \
	    $(SWIFT) test --quiet --filter '^EndToEndTests\.(ReplicaClientTests|ProgramTests|ResolverAboveTests|HAProxyTests)'

# Containers of real runtimes: Docker, podman, runc, crun, containerd with CNI, LXC.
test-runtimes: need-root
	@.ci/install $(TEST_PACKAGES)
	@.ci/install $(RUNTIME_PACKAGES) || true
	@for program in dockerd podman runc crun containerd lxc-start; do command -v $$program >/dev/null || \
	    echo "skipped: containers of real runtimes that need $$program, which is not installed"; done
	@$(MAKE) --no-print-directory build
	INTERCOM_BIN=$(BIN) INTERCOM_RUNTIMES=1 $(SWIFT) test --quiet --filter '^EndToEndTests\.(RealDockerTests|RealRuntimesTests|PodmanScenarioTests|GateTests/besideFirewalld)'

# Metrics, with promtool and a real Prometheus.
test-metrics: need-root
	@.ci/install $(TEST_PACKAGES)
	@.ci/install $(METRICS_PACKAGES) || true
	@[ -x /usr/bin/promtool ] || echo "skipped: checks by promtool and Prometheus, as the package prometheus is not installed"
	@$(MAKE) --no-print-directory build .build/python
	INTERCOM_BIN=$(BIN) INTERCOM_PYTHONPATH=$(CURDIR)/.build/python $(SWIFT) test --quiet --filter '^EndToEndTests\.MetricsTests'

# The map, opened in headless Chromium.
test-map: need-root
	@.ci/install $(TEST_PACKAGES)
	@.ci/install $(MAP_PACKAGES) || true
	@[ -x /usr/bin/chromium ] || echo "skipped: the map in a browser, as the package chromium is not installed"
	@$(MAKE) --no-print-directory build
	INTERCOM_BIN=$(BIN) $(SWIFT) test --quiet --filter '^(ClientCommandTests\.|EndToEndTests\.MapTests)'

# Hosts that share names on a real etcd, and what can happen to each of them.
test-cluster: need-root
	@.ci/install $(TEST_PACKAGES) $(CLUSTER_PACKAGES)
	@$(MAKE) --no-print-directory build .build/python
	INTERCOM_BIN=$(BIN) INTERCOM_CLUSTER=1 $(SWIFT) test --quiet --filter '^EndToEndTests\.Etcd'

# What needs no root: all but the end-to-end tests.
check: need-swift .build/python
	INTERCOM_PYTHONPATH=$(CURDIR)/.build/python $(SWIFT) test --quiet --skip EndToEndTests

# Python's codec and Varlink client: other people's, to be checked against.
.build/python:
	@echo "installing from PyPI into .build/python: varlink dnspython"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
	    --target .build/python.new varlink dnspython
	@mv .build/python.new .build/python

OURS := Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Micro

lint: need-swift
	$(SWIFT) format lint --strict --parallel --recursive $(OURS)

# What makes a type of the server hard to read, counted: fails past its limits.
shape:
	@Tests/shape

format: need-swift
	$(SWIFT) format --in-place --parallel --recursive $(OURS)

# The pages of every room in .build/docs/intercom.doccarchive; fails at what is not documented, and at any warning of DocC.
DOCS := $(CURDIR)/.build/docs

docs: need-swift
	@.ci/install $(BUILD_PACKAGES)
	@mkdir -p $(DOCS)/graphs
	@for room in IntercomServer Runtimes $(if $(INTERCOM_WITHOUT_ETCD),,EtcdCommand); do \
	    $(SWIFT) build --quiet --target $$room --scratch-path $(DOCS) -Xswiftc -emit-symbol-graph \
	    -Xswiftc -emit-symbol-graph-dir -Xswiftc $(DOCS)/graphs \
	    -Xswiftc -symbol-graph-minimum-access-level -Xswiftc package || exit 1; done
	@Tests/check-documentation $(DOCS)

# All tests under the sanitizers of memory and of threads, with daemons that are built so, too (Tests/sanitize says more).
test-asan test-tsan: need-root .build/python
	@.ci/install $(BUILD_PACKAGES) $(TEST_PACKAGES)
	SWIFT=$(SWIFT) Tests/sanitize $(if $(filter test-asan,$@),address,thread)

# Messages by chance, whole and damaged, read by dnspython and by us; with INTERCOM_DIFFERENTIAL_SEED= the same ones again.
MESSAGES ?= 100000

differential: need-swift .build/python
	@.ci/install $(BUILD_PACKAGES)
	INTERCOM_PYTHONPATH=$(CURDIR)/.build/python INTERCOM_DIFFERENTIAL=$(MESSAGES) $(SWIFT) test --filter DifferentialTests

# Lines of each room that tests run through, without those in namespaces; and a report of each line, .build/coverage/lines.
coverage: need-swift .build/python
	@.ci/install $(BUILD_PACKAGES)
	INTERCOM_PYTHONPATH=$(CURDIR)/.build/python $(SWIFT) test --quiet --skip EndToEndTests --enable-code-coverage \
	    --scratch-path .build/coverage
	@Tests/check-coverage .build/coverage

# What one container can do to others, and ten MINUTES of everything at once.
MINUTES ?= 10

floods soak: need-root
	@.ci/install $(BENCH_PACKAGES)
	@$(MAKE) --no-print-directory build
	INTERCOM_BIN=$(BIN) $(PYTHON) Benchmarks/$(if $(filter soak,$@),limits,attacks)/$@ $(if $(filter soak,$@),--minutes $(MINUTES))

# Eight hosts on one etcd, in which one thing after another breaks for so many MINUTES, in an order that SEED gives.
SEED ?= 1

lab-hosts: need-root
	@.ci/install $(DEMO_PACKAGES) $(CLUSTER_PACKAGES) faketime nftables
	@$(MAKE) --no-print-directory build
	INTERCOM_BIN=$(BIN) $(PYTHON) Tests/Lab/lab-hosts --minutes $(MINUTES) --seed $(SEED)

# How soon a change is on all hosts, what a first sync takes, and what it costs to be one of a thousand hosts.
bench-hosts: need-root
	@.ci/install $(DEMO_PACKAGES) $(CLUSTER_PACKAGES)
	@$(MAKE) --no-print-directory build
	INTERCOM_BIN=$(BIN) $(PYTHON) Benchmarks/cluster/hosts

# The fuzzer with the address sanitizer: one TARGET of Tests/Fuzz/Seeds, or all of them, for SECONDS in all.
TARGET ?=
SECONDS ?= 60
FUZZ := $(CURDIR)/.build/fuzz

fuzz: need-swift
	@.ci/install $(BUILD_PACKAGES)
	INTERCOM_FUZZ=1 $(SWIFT) build --configuration release --sanitize address --sanitize fuzzer -Xswiftc -enable-testing \
	    --scratch-path $(FUZZ) --product Fuzz
	@Tests/Fuzz/run $(FUZZ)/release/Fuzz $(SECONDS) $(TARGET)

# Side by side with other servers, with answers of ours and as forwarders; at scale; instructions and allocations.
bench: need-root
	@.ci/install $(BENCH_PACKAGES)
	@$(MAKE) --no-print-directory build
	INTERCOM_BIN=$(BIN) $(PYTHON) Benchmarks/peers/side-by-side
	INTERCOM_BIN=$(BIN) $(PYTHON) Benchmarks/peers/workers
	INTERCOM_BIN=$(BIN) $(PYTHON) Benchmarks/peers/forwarding
	INTERCOM_BIN=$(BIN) $(PYTHON) Benchmarks/limits/discovery
	INTERCOM_BIN=$(BIN) $(PYTHON) Benchmarks/limits/instructions
	INTERCOM_BIN=$(BIN) $(PYTHON) Benchmarks/limits/control
	INTERCOM_BIN=$(BIN) $(PYTHON) Benchmarks/limits/watched
	@$(MAKE) --no-print-directory micro

# The steps of an answer, each alone.
micro: need-swift
	$(SWIFT) package --package-path Benchmarks benchmark --no-progress --grouping metric --time-units nanoseconds

# What is the same on every machine: instructions and allocations of each kind of answer.
instructions: need-root
	@.ci/install $(BENCH_PACKAGES)
	@$(MAKE) --no-print-directory build
	INTERCOM_BIN=$(BIN) $(PYTHON) Benchmarks/limits/instructions --judged

install: build install-files
	@[ -n "$(DESTDIR)" ] || echo "then, under systemd: systemd-sysusers && systemd-tmpfiles --create &&" \
	    "journalctl --update-catalog && systemctl daemon-reload && systemctl enable --now intercom"

# Binaries that are there already, units, manual pages, completions.
LIB = $(DESTDIR)$(PREFIX)/lib
SHARE = $(DESTDIR)$(PREFIX)/share
UNITS := intercom.service intercom.socket intercom-cluster.socket intercom-opener.service intercom-opener.socket run-netns.mount intercom-docker.service \
    intercom-podman.service intercom-nerdctl.service intercom-machined.service \
    intercom-resolve-hook.socket intercom-resolved-link.service intercom-resolv-conf.path intercom-resolv-conf.service \
    intercom-metrics.socket intercom-metrics@.service $(if $(INTERCOM_WITHOUT_ETCD),,intercom-etcd.service)
LIBEXEC = $(DESTDIR)$(PREFIX)/libexec
HOOKS := intercom/oci-hook intercom/lxc-hook cni/intercom
COMPLETED := intercomctl intercom-runtimes $(if $(INTERCOM_WITHOUT_ETCD),,intercom-etcd)
PUT := install -D --mode 644

install-files:
	install -D --strip --mode 755 --target-directory $(DESTDIR)$(PREFIX)/bin $(BIN)/intercomd
	@for name in $(LINKS); do ln -sf intercomd $(DESTDIR)$(PREFIX)/bin/$$name; done
ifndef INTERCOM_WITHOUT_ETCD
	install -D --strip --mode 755 --target-directory $(DESTDIR)$(PREFIX)/bin $(BIN)/intercom-etcd
	config/man/fill config/man/intercom-etcd.8 config/etcd.toml | $(PUT) /dev/stdin $(SHARE)/man/man8/intercom-etcd.8
	$(PUT) --target-directory $(SHARE)/doc/intercom config/etcd.toml
endif
	@# Programs that runtimes call, and the files by which they find them.
	@mkdir -p $(LIBEXEC)/intercom $(LIBEXEC)/cni
	@for name in $(HOOKS); do ln -sf ../../bin/intercomd $(LIBEXEC)/$$name; done
	@for file in oci-hook.json:containers/oci/hooks.d/intercom.json lxc.conf:lxc/config/common.conf.d/50-intercom.conf; do \
	    sed 's|/usr/libexec/|$(PREFIX)/libexec/|' config/runtimes/$${file%%:*} | $(PUT) /dev/stdin $(SHARE)/$${file#*:}; done
	$(PUT) config/runtimes/resolv.conf $(SHARE)/intercom/resolv.conf
	@for unit in $(UNITS); do \
	    sed 's|/usr/bin/|$(PREFIX)/bin/|' config/$$unit | $(PUT) /dev/stdin $(LIB)/systemd/system/$$unit; done
	$(PUT) config/intercom.sysusers $(LIB)/sysusers.d/intercom.conf
	$(PUT) config/intercom.tmpfiles $(LIB)/tmpfiles.d/intercom.conf
	$(PUT) config/intercom.catalog $(LIB)/systemd/catalog/intercom.catalog
	$(PUT) --target-directory $(SHARE)/man/man1 config/man/intercomctl.1 config/man/intercom-runtimes.1
	$(PUT) --target-directory $(SHARE)/man/man8 config/man/intercomd.8 config/man/intercom-hooks.8
	config/man/fill config/man/intercom.toml.5 config/intercom.toml | $(PUT) /dev/stdin $(SHARE)/man/man5/intercom.toml.5
	@for name in $(COMPLETED); do \
	    $(BIN)/$$name --generate-completion-script bash | $(PUT) /dev/stdin $(SHARE)/bash-completion/completions/$$name; \
	    $(BIN)/$$name --generate-completion-script zsh | $(PUT) /dev/stdin $(SHARE)/zsh/site-functions/_$$name; \
	    $(BIN)/$$name --generate-completion-script fish | \
	    $(PUT) /dev/stdin $(SHARE)/fish/vendor_completions.d/$$name.fish; done
	$(PUT) --target-directory $(SHARE)/doc/intercom config/intercom.toml README.md CHANGELOG.md LICENSE
	install -D --mode 755 --target-directory $(SHARE)/doc/intercom/examples config/examples/vxlan-peers
	$(PUT) --target-directory $(SHARE)/doc/intercom/grafana config/grafana/intercom.json
	$(PUT) --target-directory $(SHARE)/doc/intercom/prometheus config/prometheus/intercom.rules.yml

# A Debian package in .build, and one of its debugging symbols; PREFIX is /usr in them.
deb: build
	@.ci/install binutils dpkg-dev
	@config/packaging/deb $(BIN) .build

# What Debian's own checker calls an error in them fails.
lint-deb: deb
	@.ci/install lintian
	lintian --fail-on error .build/intercom_*.deb .build/intercom-dbgsym_*.deb

clean:
	rm -rf .build Benchmarks/.build

need-swift:
	@command -v $(SWIFT) >/dev/null || { \
	    echo "Swift 6.3 is needed to build: https://www.swift.org/install/linux/" >&2; exit 1; }

need-root: need-swift
	@[ "$$(id -u)" -eq 0 ] || { \
	    echo "network namespaces need root: run 'sudo make $(MAKECMDGOALS)'; 'make check' runs the tests that do not" >&2; \
	    exit 1; }
