import HubCore

/// The words of the connect page.
struct ConnectTexts: Sendable {
    /// A value of `lang`.
    let language: String
    let title: String
    let intro: String
    let stepCertificate: String
    let certificateHint: String
    let fingerprint: String
    let download: String
    let stepToken: String
    let tokenHint: String
    let tokenLink: String
    let stepSetUp: String
    let setUpHint: String
    let allUsers: String
    let script: String
    let stepCheck: String
    let checkHint: String
    let byHand: String
    let variable: String
    let value: String
    let purpose: String
    let git: String
    let data: String
    let purposes: [ClientSetup.Purpose: String]

    /// The best of the languages that a browser names. RFC 9110 §12.5.4.
    static func best(for header: String?) -> ConnectTexts {
        let ranges = (header ?? "").prefix(1000).split(separator: ",").map { range -> (tag: String, quality: Double) in
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " } }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            return (parts.first?.lowercased() ?? "", quality)
        }
        let chinese = ranges.filter { $0.tag == "zh" || $0.tag.hasPrefix("zh-") }.map(\.quality).max() ?? 0
        let english = ranges.filter { $0.tag == "en" || $0.tag.hasPrefix("en-") }.map(\.quality).max() ?? 0
        return chinese > english ? .chinese : .english
    }

    static let english = ConnectTexts(
        language: "en", title: "Connect to this hub",
        intro: "Stock clients work with this hub: huggingface_hub and hf, transformers, datasets, csghub-sdk, git and Git LFS. "
            + "Point them here once.",
        stepCertificate: "Trust the certificate",
        certificateHint: "The hub's certificate is signed by its own authority. Compare the fingerprint with the one that your "
            + "administrator tells you before you trust it.",
        fingerprint: "SHA-256 fingerprint", download: "Download the certificate", stepToken: "Make an access token",
        tokenHint: "A token stands for your account. Keep it secret; set HF_TOKEN to it.", tokenLink: "Your access tokens",
        stepSetUp: "Set up your machine", setUpHint: "For the present shell:", allUsers: "To keep it, for all users of the machine:",
        script: "Read the script first", stepCheck: "Check it",
        checkHint: "This shows the name of your account when the address, the certificate and the token are right:",
        byHand: "By hand", variable: "Variable", value: "Value", purpose: "What it is for", git: "For git and Git LFS:",
        data: "The same for programs",
        purposes: [
            .endpoint: "where clients look for models and data sets", .token: "who you are",
            .authority: "lets clients trust the hub", .offline: "keeps clients from waiting for hosts on the internet",
        ])

    static let chinese = ConnectTexts(
        language: "zh-Hans", title: "连接到本站",
        intro: "常用客户端无需修改即可使用本站：huggingface_hub 与 hf、transformers、datasets、csghub-sdk、git 和 Git LFS。只需按下面的步骤设置一次。",
        stepCertificate: "信任证书", certificateHint: "本站证书由其自有的证书颁发机构签发。信任之前，请将指纹与管理员告知的指纹进行核对。",
        fingerprint: "SHA-256 指纹", download: "下载证书", stepToken: "创建访问令牌", tokenHint: "令牌代表您的账号，请妥善保管，并将 HF_TOKEN 设置为该令牌。",
        tokenLink: "我的访问令牌", stepSetUp: "设置您的电脑", setUpHint: "仅对当前终端生效：", allUsers: "长期生效，对本机所有用户：",
        script: "先查看脚本内容", stepCheck: "检查", checkHint: "如果地址、证书和令牌都正确，下面的命令会显示您的账号名：",
        byHand: "手动设置", variable: "变量", value: "值", purpose: "用途", git: "用于 git 和 Git LFS：", data: "供程序读取的数据",
        purposes: [
            .endpoint: "客户端查找模型和数据集的地址", .token: "您的身份", .authority: "让客户端信任本站", .offline: "避免客户端等待互联网上的主机",
        ])
}
