// swift-tools-version:6.2
import PackageDescription

// The folders under Sources are the layers of the architecture: App, Interfaces, Services, Adapters, Core, CLibraries.
// Code imports its own layer's listed neighbours and the layers below it; Tests/LayeringTests holds the arrows.

let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

/// A system library with a module map, installed by `installer/setup`.
func systemLibrary(_ name: String, debian package: String, described description: String? = nil) -> Target {
    .systemLibrary(
        name: name, path: "Sources/CLibraries/\(name)", pkgConfig: description, providers: [.apt([package])])
}

/// A Swift target in one of the layer folders.
func module(_ name: String, in layer: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(layer)/\(name)", swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: strict)
}

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// libgit2 as Debian builds it needs these of a static link; a dynamic link of the tests ignores what it does not need.
let libgit2Companions: [LinkerSetting] = ["http_parser", "ssh2", "mbedtls", "mbedx509", "mbedcrypto", "pcre2-8", "crypto", "z"]
    .map { .linkedLibrary($0) }

let package = Package(
    name: "csghub",
    products: [.executable(name: "csghub", targets: ["csghub"])],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
    ],
    targets: [
        // CLibraries
        systemLibrary("CLibGit2", debian: "libgit2-dev"),
        systemLibrary("COpenSSL", debian: "libssl-dev"),
        systemLibrary("CArgon2", debian: "libargon2-dev"),
        systemLibrary("CDeflate", debian: "libdeflate-dev"),
        systemLibrary("CZlib", debian: "zlib1g-dev"),
        systemLibrary("CLZ4", debian: "liblz4-dev"),
        // Its library is made from the package's C sources by installer/setup.
        systemLibrary("CBlake3", debian: "librust-blake3-dev", described: "libblake3"),
        .target(
            name: "CHubPlatform", path: "Sources/CLibraries/CHubPlatform",
            cSettings: [.unsafeFlags(["-O2"])], linkerSettings: [.linkedLibrary("sqlite3"), .linkedLibrary("crypto")]),

        // Core
        module("HubCore", in: "Core", []),

        // Adapters
        module("MetadataStore", in: "Adapters", [
            "HubCore", "CHubPlatform", "COpenSSL", .product(name: "GRDB", package: "GRDB.swift"), logging,
        ]),
        module("ObjectStore", in: "Adapters", [
            "HubCore", "CHubPlatform", "COpenSSL", "CBlake3", "CLZ4", nioCore, nioPosix,
        ]),
        module("GitStore", in: "Adapters", [
            "HubCore", "CHubPlatform", "CLibGit2", "COpenSSL", "CDeflate", "CZlib", nioCore, nioPosix,
        ]),

        module("ModelFormats", in: "Adapters", ["HubCore", .product(name: "Yams", package: "Yams")]),
        module("BundleFormat", in: "Adapters", ["HubCore", "CHubPlatform", "COpenSSL", "CLZ4"]),

        // Services
        module("Identity", in: "Services", ["HubCore", "MetadataStore", "CArgon2", "COpenSSL", nioPosix, logging]),
        module("Repositories", in: "Services", [
            "HubCore", "MetadataStore", "ObjectStore", "GitStore", "ModelFormats", "Identity", nioCore, logging,
            metrics, serviceLifecycle,
        ]),

        module("Community", in: "Services", [
            "HubCore", "MetadataStore", "GitStore", "ObjectStore", "Identity", "Repositories", "COpenSSL", nioCore, logging,
            serviceLifecycle,
        ]),

        module("Bundles", in: "Services", [
            "HubCore", "MetadataStore", "ObjectStore", "GitStore", "BundleFormat", "ModelFormats", "Identity", "Repositories", nioCore,
            logging, serviceLifecycle,
        ]),

        // Interfaces
        module("WebCore", in: "Interfaces", [
            "HubCore", "Identity", hummingbird, nioCore, httpTypes, logging, metrics,
            .product(name: "CoreMetrics", package: "swift-metrics"),
        ]),
        module("GitProtocols", in: "Interfaces", [
            "HubCore", "WebCore", "Identity", "Repositories", "Community", "GitStore", "ObjectStore", "MetadataStore", "CZlib",
            hummingbird, nioCore, httpTypes, logging, metrics,
        ]),
        module("HubAPI", in: "Interfaces", [
            "HubCore", "WebCore", "Identity", "Repositories", "Community", "Bundles", "BundleFormat", "GitStore", "ObjectStore", "MetadataStore", hummingbird, nioCore,
            httpTypes, logging,
        ]),
        module("HuggingFaceAPI", in: "Interfaces", [
            "HubCore", "WebCore", "Identity", "Repositories", "Community", "GitStore", "ObjectStore", "MetadataStore", "ModelFormats", hummingbird, nioCore,
            httpTypes, logging,
        ]),
        module("XetProtocol", in: "Interfaces", [
            "HubCore", "WebCore", "HuggingFaceAPI", "Identity", "Repositories", "ObjectStore", hummingbird, nioCore, httpTypes, logging,
        ]),

        module("CSGHubAPI", in: "Interfaces", [
            "HubCore", "WebCore", "HuggingFaceAPI", "Identity", "Repositories", "GitStore", "ObjectStore", "MetadataStore", hummingbird,
            nioCore, httpTypes, logging,
        ]),

        // App
        module("HubServer", in: "App", [
            "HubCore", "WebCore", "Bundles", "BundleFormat", "GitProtocols", "HubAPI", "HuggingFaceAPI", "XetProtocol", "CSGHubAPI", "Identity", "Repositories", "Community", "MetadataStore", "ObjectStore",
            "GitStore", "CHubPlatform", hummingbird, nioCore, nioPosix, httpTypes, logging, metrics, serviceLifecycle,
            .product(name: "CoreMetrics", package: "swift-metrics"),
            .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            .product(name: "HummingbirdCore", package: "hummingbird"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
            .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
            .product(name: "Yams", package: "Yams"),
        ]),
        module("HubCommands", in: "App", [
            "HubCore", "HubServer", "HubAPI", "WebCore", "Identity", "MetadataStore", "ObjectStore", "GitStore", "BundleFormat", "Bundles",
            hummingbird, nioCore, nioPosix, httpTypes, logging,
            .product(name: "NIOHTTP1", package: "swift-nio"),
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ]),
        .executableTarget(
            name: "csghub", dependencies: ["HubCommands", "CHubPlatform"], path: "Sources/App/csghub",
            swiftSettings: strict, linkerSettings: libgit2Companions),

        // Tests
        .target(
            name: "HubTestSupport", dependencies: ["HubCore", "ObjectStore"], path: "Tests/HubTestSupport", swiftSettings: strict),
        tests("HubCoreTests", ["HubCore"]),
        tests("BundleFormatTests", ["BundleFormat", "HubCore", "HubTestSupport"]),
        tests("BundlesTests", [
            "Bundles", "BundleFormat", "GitStore", "HubCore", "HubTestSupport", "Identity", "MetadataStore", "ObjectStore", "Repositories",
            logging, nioCore,
        ]),
        tests("RepositoriesTests", [
            "Repositories", "Identity", "MetadataStore", "GitStore", "ObjectStore", "HubCore", "HubTestSupport", nioCore, logging,
            serviceLifecycle,
        ]),
        tests("CommunityTests", [
            "Community", "Repositories", "Identity", "MetadataStore", "GitStore", "ObjectStore", "HubCore", "HubTestSupport", logging, nioCore,
        ]),
        tests("GitProtocolsTests", [
            "GitProtocols", "HubCore", "HubTestSupport", "Identity", "MetadataStore", "ObjectStore", "Repositories", "WebCore", "COpenSSL",
            hummingbird, httpTypes, nioCore, logging,
        ]),
        tests("MetadataStoreTests", [
            "HubCore", "MetadataStore", "CHubPlatform", .product(name: "GRDB", package: "GRDB.swift"),
        ]),
        tests("IdentityTests", ["HubCore", "MetadataStore", "Identity"]),
        tests("ModelFormatsTests", ["HubCore", "ModelFormats", "HubTestSupport"]),
        tests("GitStoreTests", ["GitStore", "HubCore", "HubTestSupport"]),
        tests("ObjectStoreTests", ["ObjectStore", "HubCore", "HubTestSupport", "COpenSSL", nioCore]),
        tests("WebCoreTests", [
            "WebCore", "HubCore", hummingbird, httpTypes, nioCore, logging, .product(name: "CoreMetrics", package: "swift-metrics"),
        ]),
        tests("HubServerTests", [
            "HubServer", "HubAPI", "GitProtocols", "HubCore", "WebCore", "Identity", "Repositories", "Community", "MetadataStore", "HubTestSupport", "CHubPlatform",
            hummingbird,
            httpTypes, nioCore, nioPosix, logging, serviceLifecycle, .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ]),
        tests("HubAPITests", [
            "HubCore", "HubAPI", "WebCore", "Identity", "Repositories", "Community", "Bundles", "BundleFormat", "GitStore", "MetadataStore", "ObjectStore", hummingbird,
            nioCore, httpTypes, logging,
        ]),
        tests("HuggingFaceAPITests", [
            "HubCore", "HuggingFaceAPI", "WebCore", "Identity", "Repositories", "GitStore", "MetadataStore", "ObjectStore",
            hummingbird, nioCore, httpTypes, logging,
        ]),
        tests("CSGHubAPITests", ["HubCore", "CSGHubAPI", hummingbird, nioCore, httpTypes]),
        tests("HubCommandsTests", [
            "HubCore", "HubCommands", "HubTestSupport", "Bundles", "BundleFormat", "HubAPI", "HubServer", hummingbird, nioCore, httpTypes, logging, serviceLifecycle,
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ]),
        tests("LayeringTests", []),
        tests("EndToEndTests", ["HubTestSupport", "BundleFormat", "HubCore"]),
    ]
)
