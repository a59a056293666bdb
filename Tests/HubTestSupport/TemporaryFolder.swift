import Foundation

/// A folder of its own under the system's temporary folder, removed with all that is in it when nobody holds it.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init(_ purpose: String = "hub") throws {
        path = FileManager.default.temporaryDirectory.appending(path: "csghub-\(purpose)-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    deinit {
        // A test that could not clean up has told its own story already.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of something in the folder.
    package func file(_ name: String) -> String { path + "/" + name }

    /// A new folder in the folder.
    package func folder(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: true)
        return file(name)
    }
}

/// The size of a file, 0 when there is none.
package func fileBytes(_ path: String) -> Int {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return 0 }
    return attributes[.size] as? Int ?? 0
}
