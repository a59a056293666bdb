import Foundation
import Testing

@Suite("Layers")
struct LayeringTests {
    /// The layer of each target, read from the folders under `Sources`.
    private let layerOf: [String: String]

    init() throws {
        var found: [String: String] = [:]
        for layer in Layers.order {
            for target in try SourceFile.folders(in: "Sources/\(layer)") { found[target] = layer }
        }
        layerOf = found
    }

    @Test("every import follows an arrow of the architecture")
    func imports() throws {
        for file in try SourceFile.all(under: "Sources") {
            let parts = file.path.split(separator: "/").map(String.init)
            try #require(parts.count > 3, "\(file.path) lies in no target's folder")
            for (module, line) in file.imports {
                let objection = Layers.objection(to: module, in: parts[2], of: parts[1], layerOf: layerOf)
                #expect(objection == nil, "\(file.path):\(line) imports \(module)")
            }
        }
    }

    @Test(
        "the rules refuse what they should",
        arguments: [
            ("HubServer", "WebCore", "Interfaces"), ("GRDB", "Identity", "Services"),
            ("Repositories", "GitStore", "Adapters"),
            ("ObjectStore", "GitStore", "Adapters"), ("Hummingbird", "Repositories", "Services"),
            ("NIOCore", "HubCore", "Core"),
            ("HubAPI", "GitProtocols", "Interfaces"), ("Repositories", "Identity", "Services"),
        ])
    func refusals(module: String, target: String, layer: String) {
        #expect(Layers.objection(to: module, in: target, of: layer, layerOf: layerOf) != nil)
    }

    @Test("the folders under Sources are the layers, and the package names every target in them")
    func folders() throws {
        #expect(try Set(SourceFile.folders(in: "Sources")) == Set(Layers.order))
        let manifest = try String(contentsOf: SourceFile.root.appending(path: "Package.swift"), encoding: .utf8)
        for (target, _) in layerOf {
            #expect(manifest.contains("\"\(target)\""), "Package.swift does not name \(target)")
        }
    }

    @Test("the top level is what the design says")
    func topLevel() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: SourceFile.root.path)
            .filter { !$0.hasPrefix(".") && $0 != "Package.resolved" }
        #expect(
            Set(names) == [
                "Package.swift", "Sources", "Tests", "installer", "systemd", "offline-bundles", "README.md",
            ])
    }

    @Test("every layer tells what belongs in it", arguments: Layers.order)
    func readme(layer: String) {
        let path = SourceFile.root.appending(path: "Sources/\(layer)/README.md").path
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test("no file passes 400 lines", arguments: ["Sources", "Tests"])
    func length(folder: String) throws {
        for file in try SourceFile.all(under: folder) {
            #expect(file.lines.count <= 401, "\(file.path) has \(file.lines.count - 1) lines")
        }
    }

    @Test("no code is commented out", arguments: ["Sources", "Tests"])
    func commentedCode(folder: String) throws {
        for file in try SourceFile.all(under: folder) {
            #expect(file.commentedCode == [], "\(file.path)")
        }
    }

    @Test(
        "reads imports as Swift does",
        arguments: [
            ("import NIOCore", "NIOCore"), ("@testable import HubCore", "HubCore"),
            ("package import Logging", "Logging"),
            ("  @preconcurrency import GRDB", "GRDB"), ("import struct Foundation.URL", "Foundation"),
            ("@_spi(Testing) import Identity", "Identity"),
        ])
    func importStatements(text: String, module: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "layering-\(UUID().uuidString).swift")
        try text.write(to: folder, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: folder) }  // A leftover in the temporary folder harms nobody.
        #expect(try SourceFile(at: folder).imports.map(\.module) == [module])
    }
}
