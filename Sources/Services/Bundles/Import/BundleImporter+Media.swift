import BundleFormat
import FoundationEssentials
import Glibc
import HubCore
import Identity
import MetadataStore
import NIOCore
import ObjectStore

/// Media below the import directories, and bundles that are sent by network.
extension BundleImporter {
    /// A bundle found on a medium.
    package struct FoundMedium: Hashable, Sendable {
        package let path: String
        package let bundle: String
        package let state: ImportState?
    }

    private func importDirectories() async throws -> [String] {
        SiteSetting.paths(
            try await store.setting(SiteSetting.importDirectories.key) ?? SiteSetting.importDirectories.defaultValue)
    }

    /// The bundles on media that are mounted below the import directories. Signatures are not looked at here.
    package func media(by caller: Caller) async throws -> [FoundMedium] {
        try await identity.requireSite(.approveImports, by: caller.principal)
        let paths = try await mounted()
        let found = try await objects.stage {
            paths.flatMap { path in
                // What is there may be anything, and may be pulled at this moment.
                ((try? Media.folders(below: path)) ?? []).map { (path: path, bundle: $0.id.text) }
            }
        }
        var media: [FoundMedium] = []
        for one in found {
            media.append(
                FoundMedium(path: one.path, bundle: one.bundle, state: try await store.importRecord(one.bundle)?.state))
        }
        return media
    }

    /// The import directories and the folders in them and in those: `/media`, `/media/ada`, `/media/ada/STICK`; at most 1,000.
    private func mounted() async throws -> [String] {
        let directories = try await importDirectories()
        return try await objects.stage {
            var paths: [String] = []
            for directory in directories {
                let first = Self.folders(in: directory)
                paths += [directory] + first + first.flatMap(Self.folders)
                if paths.count > 1000 { break }
            }
            return Array(paths.prefix(1000))
        }
    }

    private static func folders(in path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var folders: [String] = []
        while let entry = readdir(stream), folders.count < 200 {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard !name.hasPrefix(".") else { continue }
            var status = stat()
            if lstat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
                folders.append("\(path)/\(name)")
            }
        }
        return folders.sorted()
    }

    /// Where to look when nobody said: what was sent by network, else all mounted media.
    func mediaPaths(of chosen: Set<String>) async throws -> [String] {
        let objects = objects
        let sent = try await objects.stage {
            chosen.sorted().filter { BundleID(parsing: $0) != nil }.map { objects.stagingArea($0) }.filter(
                \.hasReceived
            ).map(\.mediumPath)
        }
        let found = try await media(by: Caller(.localAdministrator(uid: 0, sudoUID: nil)))
        let paths = sent + found.filter { chosen.isEmpty || chosen.contains($0.bundle) }.map(\.path)
        guard !paths.isEmpty else { throw ImportError.noBundle(try await importDirectories()) }
        var seen: Set<String> = []
        return paths.filter { seen.insert($0).inserted }
    }

    /// By network, only what lies below an import directory may be named; the machine's own administrator names any path.
    func checkPaths(_ paths: [String], by caller: Caller) async throws {
        if case .localAdministrator = caller.principal { return }
        let directories = try await importDirectories()
        let allowed = try await objects.stage { directories.compactMap(Self.real) + [self.objects.importsPath] }
        for path in paths {
            let real = try await objects.stage { Self.real(path) }
            guard let real, allowed.contains(where: { real == $0 || real.hasPrefix($0 + "/") }) else {
                throw ImportError.pathNotAllowed(path)
            }
        }
    }

    private static func real(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }

    // MARK: - Bundles that are sent by network

    /// Takes a document of a bundle: `BUNDLE.json`, `BUNDLE.dsse.json`, `root.<N>.json` or a statement of custody.
    package func receive(document name: String, _ bytes: [UInt8], of bundle: String, by caller: Caller) async throws {
        try await identity.requireSite(.approveImports, by: caller.principal)
        guard let id = BundleID(parsing: bundle) else { throw MetadataError.importNotFound }
        let target: String
        switch name {
        case BundleManifest.fileName:
            guard BundleID(manifest: BundleDigest.hash(bytes)) == id else {
                throw BundleError.wrongHash(file: name, expected: BundleDigest.hash(bytes))
            }
            target = name
        case "BUNDLE.dsse.json": target = name
        case _ where CustodyStatement.isFileName(name): target = "\(CustodyStatement.folder)/\(name)"
        default:
            let parts = name.split(separator: ".")
            guard parts.count == 3, parts[0] == "root", parts[2] == "json", let version = Int(parts[1]),
                (1...256).contains(version),
                name == "root.\(version).json"
            else { throw ImportError.invalidVolume(name) }
            target = "trust/" + name
        }
        let area = area(of: bundle)
        try await objects.stage {
            try area.make()
            try area.receive(bytes, as: target)
        }
    }

    /// How much of a volume has come.
    package func received(volume: Int, of bundle: String, by caller: Caller) async throws -> Int64 {
        let volume = try await sent(volume: volume, of: bundle, by: caller)
        let area = area(of: bundle)
        return try await objects.stage { try area.receivedBytes(of: volume.file) }
    }

    /// Takes bytes of a volume from `offset` on, which must not lie beyond what came before. Whose bundle it is was judged by then.
    package func receive<Body: AsyncSequence & Sendable>(
        volume number: Int, from offset: Int64, _ body: Body, of bundle: String, by caller: Caller
    ) async throws -> Int64 where Body.Element == ByteBuffer {
        let volume = try await sent(volume: number, of: bundle, by: caller)
        let (area, objects) = (area(of: bundle), objects)
        let known = try await objects.stage { try area.receivedBytes(of: volume.file) }
        guard offset >= 0, offset <= known else {
            throw ProblemError(.conflict, code: "offset", "\(known) bytes of this volume have come; go on from there.")
        }
        var end = offset
        for try await piece in body {
            let start = end
            guard start + Int64(piece.readableBytes) <= volume.sizeBytes else {
                throw BundleError.tooLarge(what: volume.file, limit: "\(volume.sizeBytes) bytes")
            }
            try await objects.stage { try area.receive(piece, of: volume.file, at: start) }
            end += Int64(piece.readableBytes)
        }
        try await objects.stage { try area.syncReceived(volume.file) }
        return end
    }

    private func sent(volume number: Int, of bundle: String, by caller: Caller) async throws -> BundleManifest.Volume {
        try await identity.requireSite(.approveImports, by: caller.principal)
        // Whoever asks names the area, so it must be the name of one.
        guard BundleID(parsing: bundle) != nil else { throw MetadataError.importNotFound }
        let area = area(of: bundle)
        guard try await objects.stage({ area.hasReceived }) else { throw MetadataError.importNotFound }
        guard let found = try await discover([area.mediumPath]).first else { throw MetadataError.importNotFound }
        let manifest = try await trust.judge(found.signed).manifest
        guard let volume = manifest.volumes.first(where: { $0.number == number }) else {
            throw ImportError.invalidVolume(BundleManifest.Volume.file(number))
        }
        return volume
    }
}
