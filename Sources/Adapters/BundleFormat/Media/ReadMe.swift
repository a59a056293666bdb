import HubCore

/// `README.txt` on a medium: what it is and how to check it without this product, in English and Chinese.
package enum MediumReadMe {
    /// - Parameter fingerprint: of the key that signed, as `csghub trust` prints it; `nil` when it is not known.
    package static func text(_ manifest: BundleManifest, id: BundleID, medium: BundleManifest.Medium, fingerprint: String?) -> String {
        let names = manifest.repositories.map { "  \($0.kind.rawValue) \($0.name)" }
        let shown = names.prefix(50).joined(separator: "\n") + (names.count > 50 ? "\n  ... (\(names.count))" : "")
        let key = fingerprint ?? "-"
        return english(manifest, id: id, medium: medium, repositories: shown, key: key) + "\n\n"
            + chinese(manifest, id: id, medium: medium, repositories: shown, key: key) + "\n"
    }

    private static func commands(_ medium: BundleManifest.Medium) -> String {
        var lines = ["sha256sum -c SHA256SUMS", "minisign -Vm BUNDLE.json -p publisher.pub"]
        lines += medium.volumes.prefix(1).map { "tar tvf \(BundleManifest.Volume.file($0))" }
        // History comes first in a bundle.
        if medium.volumes.contains(1) {
            lines += [
                "tar xf \(BundleManifest.Volume.file(1)) -C /tmp --wildcards 'git/*' 'meta/*'",
                "git init -q /tmp/check && for b in /tmp/git/*.bundle; do git -C /tmp/check bundle verify $b; done",
            ]
        }
        lines += ["csghub bundle verify .", "csghub bundle import ."]
        return lines.map { "  " + $0 }.joined(separator: "\n")
    }

    /// An envelope's text and signature for `openssl`: DSSE signs `DSSEv1 <length> <type> <length> <payload>`.
    private static let opensslCommands = """
          python3 - <<'END'
          import base64, json
          d = json.load(open('BUNDLE.dsse.json'))
          p, t = base64.b64decode(d['payload']), d['payloadType'].encode()
          open('/tmp/signed', 'wb').write(b'DSSEv1 %d %s %d %s' % (len(t), t, len(p), p))
          open('/tmp/signature', 'wb').write(base64.b64decode(d['signatures'][0]['sig']))
          print(p.decode())
          END
          openssl pkeyutl -verify -pubin -inkey publisher.pem -rawin -in /tmp/signed -sigfile /tmp/signature
        """

    private static func english(
        _ manifest: BundleManifest, id: BundleID, medium: BundleManifest.Medium, repositories: String, key: String
    ) -> String {
        """
        Models and datasets for a CSGHub site
        =====================================
        Bundle     \(id) (\(manifest.stream) #\(manifest.sequence), \(manifest.kind.rawValue))
        Publisher  \(manifest.publisher)
        Key        \(key)
        Made       \(manifest.created)
        Medium     \(medium.number) of \(manifest.media.count); each medium has the whole list, BUNDLE.json
        Holds
        \(repositories)

        To check this medium and to use it, in this folder:

        \(commands(medium))

        The key of the publisher (publisher.pub, publisher.pem) must come to you another way than on this medium. The signature
        covers the SHA-256 of BUNDLE.json, which names the SHA-256 of everything else. With openssl, version 3:

        \(opensslCommands)

        The text that is printed must have the result of: sha256sum BUNDLE.json
        Media may be read in any order. Nothing on them is changed by an import.
        If a file is damaged, bring the medium again, or repair it with: par2 repair -B . par/volumes.par2 (where there is a par folder)
        """
    }

    private static func chinese(
        _ manifest: BundleManifest, id: BundleID, medium: BundleManifest.Medium, repositories: String, key: String
    ) -> String {
        """
        CSGHub 站点离线模型与数据集包
        ============================
        包编号    \(id)（\(manifest.stream) 第 \(manifest.sequence) 期，\(manifest.kind == .full ? "完整" : "增量")）
        发布者    \(manifest.publisher)
        密钥指纹  \(key)
        制作时间  \(manifest.created)
        介质      第 \(medium.number) 件，共 \(manifest.media.count) 件；每件都有完整清单 BUNDLE.json
        内容
        \(repositories)

        在本目录中检查和使用：

        \(commands(medium))

        发布者的公钥（publisher.pub、publisher.pem）必须通过其他途径获得，不能取自本介质。签名针对 BUNDLE.json 的 SHA-256，
        其余一切内容的 SHA-256 都写在 BUNDLE.json 中。使用 openssl 3 验证签名：

        \(opensslCommands)

        上面打印的文字中的摘要必须与 sha256sum BUNDLE.json 的结果一致。
        介质可按任意顺序读取，导入不会改动介质上的任何内容。
        如果文件损坏，请重新提供该介质，或用 par2 repair -B . par/volumes.par2 修复（若有 par 目录）。
        """
    }
}
