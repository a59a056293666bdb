import Foundation
import Testing

@testable import HubCommands

@Suite("Scanning a folder")
struct FolderScanTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/scan-" + UUID().uuidString

    init() throws {
        try FileManager.default.createDirectory(atPath: folder + "/sub/.git", withIntermediateDirectories: true)
    }

    private func write(_ name: String, _ text: String = "x") throws {
        try Data(text.utf8).write(to: URL(filePath: folder + "/" + name))
    }

    @Test("lists files by path and leaves .git out")
    func listing() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try write("b.txt", "12345")
        try write("sub/a.sh")
        try write("sub/.git/config")
        try write("sub/.gitattributes")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder + "/sub/a.sh")
        #expect(
            try FolderScan(folder: folder).files == [
                LocalFile(path: "b.txt", sizeBytes: 5, isExecutable: false),
                LocalFile(path: "sub/.gitattributes", sizeBytes: 1, isExecutable: false),
                LocalFile(path: "sub/a.sh", sizeBytes: 1, isExecutable: true),
            ])
    }

    @Test("refuses links and names with control characters, and says which")
    func refusals() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createSymbolicLink(atPath: folder + "/link.bin", withDestinationPath: "/etc/passwd")
        let link = #expect(throws: CommandFailure.self) { try FolderScan(folder: folder) }
        #expect(link?.status == .badData && link?.message.contains("link.bin") == true)
        try FileManager.default.removeItem(atPath: folder + "/link.bin")
        try write("odd\nname")
        let odd = #expect(throws: CommandFailure.self) { try FolderScan(folder: folder) }
        #expect(odd?.message.contains("control character") == true && odd?.message.contains("\n") == false)
        #expect(throws: CommandFailure.self) { try FolderScan(folder: folder + "/none") }
        #expect(throws: CommandFailure.self) { try FolderScan(folder: folder + "/sub/../odd\nname") }
    }
}
