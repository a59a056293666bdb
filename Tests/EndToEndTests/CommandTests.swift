import Foundation
import HubTestSupport
import Testing

extension EndToEnd {
    @Suite("The command line")
    struct CommandTests {
        /// Verbs work the same with a running hub, through its socket, and without one.
        @Test("verbs print the one thing that they made", arguments: [true, false])
        func verbs(isRunning: Bool) throws {
            let hub = try HubProcess.started()
            if !isRunning { try hub.stop() }
            let password = try hub.verb("account", "create", "ada", "--admin")
            #expect(
                password.succeeded && password.stdout.split(separator: "\n").count == 1 && password.line.count >= 12,
                "\(password)")
            try hub.run("organization", "create", "team")
            try hub.run("organization", "member", "add", "team", "ada", "--role", "admin")
            #expect(try hub.verb("organization", "member", "list", "team", "--json").stdout.contains("ada"))
            let token = try hub.verb(
                "token", "create", "--account", "ada", "--scope", "read", "--expires", "30d", "--name", "laptop")
            #expect(token.stdout.hasPrefix("hub_") && token.stdout.split(separator: "\n").count == 1, "\(token)")
            try hub.run("repository", "create", "model", "team/bert")
            try hub.run("repository", "create", "dataset", "ada/corpus", "--visibility", "internal")
            let list = try hub.verb("repository", "list", "--json").stdout.split(separator: "\n")
            #expect(list.count == 2)
            for line in list {
                let repository = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                #expect(repository?["visibility"] as? String == (line.contains("bert") ? "private" : "internal"))
            }
            try hub.run("repository", "rename", "models/team/bert", "team/bert-2")
            try hub.run("repository", "delete", "models/team/bert-2", "--yes")
            try hub.run("repository", "undelete", "models/team/bert-2")
            #expect(try hub.verb("audit", "verify").succeeded)
            #expect(try hub.verb("audit", "list", "--json").stdout.contains("repository.rename"))
            #expect(try hub.verb("doctor").succeeded)
        }

        @Test("wrong usage, what is missing and what is taken have their exit codes")
        func exitCodes() throws {
            let hub = try HubProcess.started()
            try hub.run("account", "create", "ada")
            #expect(try hub.verb("account", "invent").status == 64)
            #expect(try hub.verb("account", "create", "ada").status != 0)
            #expect(try hub.verb("account", "create", "models").status != 0)
            #expect(try hub.verb("repository", "create", "model", "nobody/x").status != 0)
            #expect(try hub.verb("repository", "export", "model", "ada/none", hub.folder.file("x")).status != 0)
            let nowhere = try CommandOutput.of(
                [#require(HubProcess.binary), "account", "list"],
                environment: [
                    "PATH": "/usr/bin:/bin", "HOME": hub.folder.file("nobody"),
                    "XDG_DATA_HOME": hub.folder.file("nobody"),
                ])
            #expect(nowhere.status != 0 && !nowhere.stderr.isEmpty, "\(nowhere)")
        }

        @Test("a folder is uploaded as a commit, its large files as LFS objects")
        func upload() throws {
            let hub = try HubProcess.started()
            let ada = try hub.client("ada")
            try hub.run("repository", "create", "model", "ada/m")
            let folder = try hub.folder.folder("model")
            try "# Model\n".write(toFile: folder + "/README.md", atomically: true, encoding: .utf8)
            try FileManager.default.createDirectory(atPath: folder + "/onnx", withIntermediateDirectories: true)
            try Content.writeSafetensors(to: folder + "/model.safetensors", bytes: 12_000_000)
            try Content.write(to: folder + "/onnx/model.onnx", bytes: 11_000_000, seed: 2)
            try hub.run("repository", "upload", "model", "ada/m", folder)

            let clone = try ada.clone("models/ada/m", to: "clone")
            for file in ["README.md", "model.safetensors", "onnx/model.onnx"] {
                #expect(try Content.sha256(of: clone.file(file)) == Content.sha256(of: folder + "/" + file))
            }
            #expect(try clone.git("lfs", "ls-files").split(separator: "\n").count == 2)
            #expect(try clone.git("status", "--porcelain") == "")
            try "# Better\n".write(toFile: folder + "/README.md", atomically: true, encoding: .utf8)
            try hub.run("repository", "upload", "models/ada/m", folder)
            try clone.git("pull", "--quiet")
            #expect(try clone.commitCount == 2)
            try hub.verifyExport(of: "models/ada/m", for: ada)
        }

        @Test("the audit log is exported and its chain verified")
        func audit() throws {
            let hub = try HubProcess.started()
            try hub.run("account", "create", "ada")
            let export = try hub.verb("audit", "export")
            #expect(export.succeeded && export.stdout.contains("account.create"), "\(export)")
            #expect(try hub.verb("audit", "verify").succeeded)
            try hub.stop()
            let change = try CommandOutput.of([
                "python3", "-c",
                "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); t = [r[0] for r in c.execute(\"select name from sqlite_master where type='trigger' and tbl_name like 'audit%'\")]; [c.execute(f'drop trigger \"{n}\"') for n in t]; n = [r[0] for r in c.execute(\"select name from sqlite_master where type='table' and name like 'audit%'\")][0]; c.execute(f\"update {n} set target = 'someone else' where rowid = (select min(rowid) from {n})\"); c.commit()",
                hub.data + "/hub.db",
            ])
            #expect(change.succeeded, "\(change)")
            #expect(try !hub.verb("audit", "verify").succeeded)
        }
    }
}
