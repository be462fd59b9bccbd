// swift-tools-version: 6.2
// The rooms of intercom: each target imports only rooms below it.

import PackageDescription

/// One set of compiler settings for every room.
let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // `@_lifetime`: what lends a span says whose storage it is.
    .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
    name: "intercom",
    products: [
        .executable(name: "intercomd", targets: ["intercomd"]),
        .executable(name: "intercomctl", targets: ["intercomctl"]),
        // For the package of benchmarks.
        .library(name: "Rooms", targets: ["DNSWire", "Forwarding", "Registry", "Varlink"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    ],
    targets: [
        // The kernel, as safe Swift types.
        .target(name: "CLinux"),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .target(
            name: "LinuxNet",
            dependencies: ["CLinux", "CSeccomp", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: settings),

        // libsystemd, as safe Swift types.
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .target(
            name: "Systemd",
            dependencies: ["CSystemd", "LinuxNet", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: settings),

        // toml++ behind a function of C, as safe Swift types; pure. The function takes spans: no pointer is seen in Swift.
        .target(name: "CToml"),
        .target(
            name: "TOML", dependencies: ["CToml"],
            swiftSettings: settings + [.enableExperimentalFeature("SafeInteropWrappers")]),

        // Protocol codecs; no I/O. DNSWire is public, as the compiler copies nothing else into other modules: a message is
        // read and written in steps so small that calling them costs more than they do.
        .target(name: "DNSWire", swiftSettings: settings),
        .target(name: "Varlink", swiftSettings: settings),

        // Elements by ticket, numbers by hash: what hot paths look into; public for the same reason.
        .target(
            name: "Tables", dependencies: [.product(name: "BasicContainers", package: "swift-collections")],
            swiftSettings: settings),

        // Names and networks; upstream exchanges; the types of the control interface.
        .target(
            name: "Registry",
            dependencies: [
                "DNSWire", "Tables", .product(name: "OrderedCollections", package: "swift-collections"),
            ],
            swiftSettings: settings),
        .target(
            name: "Forwarding",
            dependencies: ["DNSWire", "Tables", .product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: settings),
        .target(name: "ControlAPI", dependencies: ["Varlink"], swiftSettings: settings),

        // The life of containers: events in, effects out; no I/O.
        .target(name: "Attachment", swiftSettings: settings),

        // Why a name does not resolve, and what is not well on a machine: facts in, findings out; no I/O.
        .target(name: "Diagnosis", dependencies: ["Attachment"], swiftSettings: settings),

        // What container runtimes say: Docker's API over HTTP, hooks, CNI, aardvark-dns's files; no I/O.
        .target(name: "RuntimeWire", dependencies: ["DNSWire"], swiftSettings: settings),

        // Many hosts: etcd's messages, and one host's side of the cluster as a value; no I/O.
        .target(name: "EtcdWire", swiftSettings: settings),
        .target(
            name: "Clustering", dependencies: ["ControlAPI", "DNSWire", "EtcdWire", "Registry"], swiftSettings: settings
        ),

        // Control plane and data plane.
        .target(
            name: "IntercomServer",
            dependencies: [
                "Attachment", "ControlAPI", "DNSWire", "Diagnosis", "Forwarding", "LinuxNet", "Registry", "Systemd",
                "TOML", "Tables", "Varlink",
                .product(name: "BasicContainers", package: "swift-collections"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),

        // Adapters of container runtimes: sockets and files of theirs, and the daemon's control socket.
        .target(
            name: "Runtimes",
            dependencies: [
                "ControlAPI", "DNSWire", "LinuxNet", "RuntimeWire", "Systemd", "Varlink",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),

        // Command lines.
        .target(
            name: "DaemonCommand",
            dependencies: [
                "ControlAPI", "IntercomServer", "LinuxNet",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/intercomd", swiftSettings: settings),
        .target(
            name: "ClientCommand",
            dependencies: [
                "ControlAPI", "DNSWire", "LinuxNet", "Registry", "Systemd", "Varlink",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Sources/intercomctl", swiftSettings: settings),

        .target(
            name: "RuntimesCommand",
            dependencies: [
                "ControlAPI", "DNSWire", "LinuxNet", "Runtimes", "Varlink",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/intercom-runtimes", swiftSettings: settings),

        // Programs. intercomd is installed, and is every program by the name of its link: Swift's runtime is there once.
        .executableTarget(
            name: "intercomd", dependencies: ["ClientCommand", "DaemonCommand", "RuntimesCommand"],
            path: "Sources/Programs/intercomd", swiftSettings: settings),
        .executableTarget(
            name: "intercomctl", dependencies: ["ClientCommand"], path: "Sources/Programs/intercomctl",
            swiftSettings: settings),

        .testTarget(name: "LinuxNetTests", dependencies: ["LinuxNet"], swiftSettings: settings),
        .testTarget(name: "SystemdTests", dependencies: ["LinuxNet", "Systemd"], swiftSettings: settings),
        .testTarget(name: "VarlinkTests", dependencies: ["Varlink"], swiftSettings: settings),
        .testTarget(name: "RuntimeWireTests", dependencies: ["RuntimeWire"], swiftSettings: settings),
        .testTarget(name: "TOMLTests", dependencies: ["TOML"], swiftSettings: settings),
        .testTarget(name: "TablesTests", dependencies: ["Tables"], swiftSettings: settings),
        .testTarget(name: "RegistryTests", dependencies: ["DNSWire", "Registry"], swiftSettings: settings),
        .testTarget(name: "AttachmentTests", dependencies: ["Attachment"], swiftSettings: settings),
        .testTarget(name: "EtcdWireTests", dependencies: ["EtcdWire"], swiftSettings: settings),
        .testTarget(
            name: "ClusteringTests", dependencies: ["Clustering", "ControlAPI", "EtcdWire"], swiftSettings: settings),
        .testTarget(name: "DiagnosisTests", dependencies: ["Attachment", "Diagnosis"], swiftSettings: settings),
        .testTarget(
            name: "ClientCommandTests", dependencies: ["ClientCommand", "ControlAPI"], swiftSettings: settings),
        .testTarget(name: "ControlAPITests", dependencies: ["ControlAPI"], swiftSettings: settings),
        .testTarget(
            name: "DNSWireTests", dependencies: ["DNSWire"], exclude: ["differential.py"], swiftSettings: settings),
        .testTarget(name: "ForwardingTests", dependencies: ["Forwarding", "Tables"], swiftSettings: settings),
        // The town and the table of its answers, for the test of the responder and for that in real namespaces.
        .target(
            name: "Promise", dependencies: ["DNSWire"], path: "Tests/Promise",
            exclude: ["answers", "resolv.conf", "town.toml"], swiftSettings: settings),
        // One test for each class of attack that forwarders met; SECURITY.md lists them.
        .testTarget(name: "Museum", dependencies: ["DNSWire", "Forwarding", "LinuxNet"], swiftSettings: settings),
        // The code on the rooms' pages of documentation, which RepositoryTests compares with it.
        .testTarget(
            name: "Examples",
            dependencies: [
                "Attachment", "Clustering", "ControlAPI", "DNSWire", "Diagnosis", "EtcdWire", "Forwarding",
                "IntercomServer",
                "LinuxNet", "Registry", "RuntimeWire", "Runtimes", "Systemd", "TOML", "Tables", "Varlink",
            ],
            swiftSettings: settings),
        .testTarget(name: "RepositoryTests", swiftSettings: settings),
        .testTarget(
            name: "IntercomServerTests",
            dependencies: [
                "Attachment", "ClientCommand", "ControlAPI", "Diagnosis", "IntercomServer", "Promise", "Tables",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "EndToEndTests", dependencies: ["Promise", "intercomctl", "intercomd"],
            exclude: [
                "Before", "Clients/programs", "Kit/activate.py", "Kit/ask.py", "Kit/bridge.py", "Kit/browser.py",
                "Kit/burst.py", "Kit/calls.py",
                "Kit/control.py", "Kit/docker.py", "Kit/echo.py", "Kit/follow.py", "Kit/gate.py", "Kit/guest.py",
                "Kit/load.py",
                "Kit/nft-objects.py", "Kit/reach.py", "Kit/resolved.py", "Kit/resolver.py", "Kit/upstream.py",
            ],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

// The bridge to etcd needs libcurl's headers; who lacks them sets INTERCOM_WITHOUT_ETCD=1, and builds everything else.
if Context.environment["INTERCOM_WITHOUT_ETCD"] == nil {
    package.products.append(.executable(name: "intercom-etcd", targets: ["intercom-etcd"]))
    package.targets += [
        // libcurl, as safe Swift types: Debian mends TLS and HTTP/2. The bridge alone links it.
        .target(name: "CCurl"),
        .target(name: "Curl", dependencies: ["CCurl", "LinuxNet"], swiftSettings: settings),
        .target(
            name: "EtcdCommand",
            dependencies: [
                "Clustering", "ControlAPI", "Curl", "EtcdWire", "LinuxNet", "Systemd", "TOML", "Varlink",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Sources/intercom-etcd", swiftSettings: settings),
        // A program of its own: the daemon has neither TLS nor keys.
        .executableTarget(
            name: "intercom-etcd", dependencies: ["EtcdCommand"], path: "Sources/Programs/intercom-etcd",
            swiftSettings: settings),
    ]
    for target in package.targets where target.name == "Examples" { target.dependencies.append("Curl") }
    for target in package.targets where target.name == "EndToEndTests" { target.dependencies.append("intercom-etcd") }
}

// libFuzzer's program is built for `make fuzz` alone: all that it calls is compiled for it once more.
if Context.environment["INTERCOM_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "Attachment", "Clustering", "ControlAPI", "DNSWire", "EtcdWire", "Forwarding", "IntercomServer",
                "LinuxNet",
                "Registry", "RuntimeWire", "Tables", "Varlink",
            ],
            path: "Tests/Fuzz", exclude: ["Seeds", "run"], swiftSettings: settings))
}
