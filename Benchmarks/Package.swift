// swift-tools-version: 6.2
// Micro-benchmarks of the rooms without I/O; a package of its own, so that nobody who builds intercom builds these.

import PackageDescription

/// Name that SwiftPM gives to the package of intercom: that of its directory.
let intercom = Context.packageDirectory.split(separator: "/").dropLast().last.map { $0.lowercased() } ?? "intercom"

let package = Package(
    name: "intercom-benchmarks",
    dependencies: [
        .package(path: ".."),
        // Without its traits: it counts no allocations then, which `instructions` does.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.0", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "Micro",
            dependencies: [
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "Rooms", package: intercom),
            ],
            path: "Micro",
            packageAccess: false,
            swiftSettings: [
                // Benchmarks see all that the rooms show to each other (`package`).
                .unsafeFlags(["-package-name", intercom])
            ],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
    ],
    swiftLanguageModes: [.v6]
)
