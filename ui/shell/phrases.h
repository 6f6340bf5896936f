#pragma once

#include <QHash>
#include <QStringList>
#include <QTranslator>

namespace sluice::ui {

/// The console in another language: a JSON object of English text and translation for each
/// (resources/translations/LANGUAGE.json), read as it is, so that no tool of Qt's is needed to add
/// one. What is missing stays English.
class Phrases : public QTranslator
{
    Q_OBJECT

public:
    explicit Phrases(QObject* parent = nullptr);

    static QStringList languages(); ///< "en", "de"
    /// The one to begin with: `wanted`, or for "system" or nothing the desktop's where we have it.
    static QString choose(const QString& wanted);
    /// False when there is no such catalogue; English has none and is true.
    bool loadLanguage(const QString& language);

    QString translate(const char* context, const char* source, const char* disambiguation = nullptr,
        int n = -1) const override;
    bool isEmpty() const override { return m_phrases.isEmpty(); }
    QStringList sources() const { return m_phrases.keys(); }

private:
    QHash<QString, QString> m_phrases;
};

} // namespace sluice::ui
