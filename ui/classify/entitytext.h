#pragma once

#include <QList>
#include <QString>
#include <QWidget>

namespace sluice::ui {

/// A query with its entities marked in the text, type and value under each. Wraps; offsets are
/// UTF-16 units of the text.
class EntityText : public QWidget
{
    Q_OBJECT

public:
    struct Mark
    {
        int begin = 0;
        int end = 0;
        QString type;
        QString value;
    };

    explicit EntityText(QWidget* parent = nullptr);
    void setText(const QString& text, const QList<Mark>& marks);
    const QList<Mark>& marks() const { return m_marks; }

    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;
    QSize sizeHint() const override { return {420, heightForWidth(420)}; }
    QSize minimumSizeHint() const override { return {160, 44}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    struct Piece
    {
        QRect box;
        QString text;
        int mark = -1; ///< index into m_marks
    };
    QList<Piece> layOut(int width, int* height) const;

    QString m_text;
    QList<Mark> m_marks;
};

} // namespace sluice::ui
