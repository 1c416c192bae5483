// swift-tools-version:6.1
import PackageDescription

// Targets point one way: C maps <- PostgresClient, HTTPTransport <- SalesforceAPI <- Relay <- Management <- executables.
// SalesforceAPI knows no database, PostgresClient knows no Salesforce, and SalesforceSimulator depends on neither,
// so that one misreading of the wire cannot hide on both ends of it.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

func library(_ name: String, _ dependencies: [Target.Dependency], _ more: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings + more)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// For the simulator in debug builds too: what is measured against it must not be its own slowness. It answers SOAP writes four
/// times as fast, near to a release build, for some forty seconds of the build.
let optimized: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")

let package = Package(
    name: "hc-sync",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "hc-relay", targets: ["hc-relay"]),
        .executable(name: "sf-simulator", targets: ["sf-simulator"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.86.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.30.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(name: "CLibCurl", linkerSettings: [.linkedLibrary("curl"), .linkedLibrary("z")]),

        library("HandleQueue", []),
        library("PostgresClient", ["CLibPQ", "HandleQueue", log]),
        library("HTTPTransport", ["CLibCurl", "HandleQueue", log]),
        library("SalesforceAPI", ["HTTPTransport", log, .product(name: "JWTKit", package: "jwt-kit")]),
        library("Relay", ["PostgresClient", "SalesforceAPI", log, lifecycle]),
        library("Management", [
            "Relay", "PostgresClient", "SalesforceAPI", log, lifecycle, hummingbird,
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
        ]),
        library("SalesforceSimulator", [
            log, lifecycle,
            .product(name: "HummingbirdCore", package: "hummingbird"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
            .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
            .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
            .product(name: "GRDB", package: "GRDB.swift"),
            .product(name: "GRDBSQLite", package: "GRDB.swift"),
            .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "_CryptoExtras", package: "swift-crypto"),
        ], optimized),
        program("hc-relay", [
            "Management", "Relay", "PostgresClient", "SalesforceAPI", log, lifecycle, arguments,
            .product(name: "Configuration", package: "swift-configuration"),
            .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        ]),
        program("sf-simulator", [
            "SalesforceSimulator", log, lifecycle, arguments,
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        ]),
        .target(name: "CSpawn"),
        library("TestSupport", ["CSpawn", "PostgresClient", log]),

        tests("PostgresClientTests", ["PostgresClient", "TestSupport"]),
        tests("HTTPTransportTests", ["HTTPTransport", "TestSupport"]),
        tests("SalesforceAPITests", [
            "SalesforceAPI", "HTTPTransport", "SalesforceSimulator", log, lifecycle, hummingbird,
            .product(name: "_CryptoExtras", package: "swift-crypto"),
        ]),
        tests("RelayTests", ["Relay", "hc-relay", "PostgresClient", "SalesforceAPI", "TestSupport", log, lifecycle]),
        tests("ManagementTests", [
            "Management", "Relay", log, hummingbird, .product(name: "HummingbirdTesting", package: "hummingbird"),
        ]),
        tests("SalesforceSimulatorTests", [
            "SalesforceSimulator", log,
            .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "_CryptoExtras", package: "swift-crypto"),
        ]),
    ]
)
