#include "ui/shell/phrases.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLocale>

/// Of the static library; at global scope, as Qt asks.
static void initTranslations()
{
    Q_INIT_RESOURCE(translations);
}

namespace sluice::ui {

Phrases::Phrases(QObject* parent)
    : QTranslator(parent)
{ }

QStringList Phrases::languages()
{
    return {QStringLiteral("en"), QStringLiteral("de")};
}

QString Phrases::choose(const QString& wanted)
{
    const QString language = wanted.isEmpty() || wanted == QLatin1StringView("system")
        ? QLocale::system().name().section(u'_', 0, 0)
        : wanted;
    return languages().contains(language) ? language : QStringLiteral("en");
}

bool Phrases::loadLanguage(const QString& language)
{
    m_phrases.clear();
    if (language == QLatin1StringView("en")) {
        return true;
    }
    initTranslations();
    QFile file(QStringLiteral(":/translations/%1.json").arg(language));
    if (!file.open(QIODevice::ReadOnly)) {
        return false;
    }
    const QJsonObject phrases = QJsonDocument::fromJson(file.readAll()).object();
    for (auto it = phrases.begin(); it != phrases.end(); ++it) {
        m_phrases.insert(it.key(), it.value().toString());
    }
    return !m_phrases.isEmpty();
}

QString Phrases::translate(const char*, const char* source, const char*, int) const
{
    return m_phrases.value(QString::fromUtf8(source)); // null: Qt goes on with the source
}

} // namespace sluice::ui
