import pytest

from rnnlm.errors import RnnlmError
from rnnlm.text import scripts
from rnnlm.text.documents import Piece
from rnnlm.text.report import ReadReport
from rnnlm.text.scripts import are_unsegmented, is_turkish, refuse_unsegmented

UNSEGMENTED = {
    "Chinese": "同样施力的大小不同，引起的加速度不同。",
    "Japanese": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
    "Thai": "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย และเป็นเมืองที่มีประชากรมากที่สุด",
    "Lao": "ປະເທດລາວເປັນປະເທດດຽວໃນອາຊີຕະເວັນອອກສຽງໃຕ້ທີ່ບໍ່ມີທາງອອກສູ່ທະເລ",
    "Khmer": "ប្រទេសកម្ពុជាជាប្រទេសមួយនៅក្នុងតំបន់អាស៊ីអាគ្នេយ៍",
    "Burmese": "မြန်မာနိုင်ငံသည်အရှေ့တောင်အာရှတွင်ရှိသောနိုင်ငံဖြစ်သည်",
}


def read(*texts: str, report: ReadReport | None = None) -> None:
    refuse_unsegmented((Piece(text, begins_document=True) for text in texts), report or ReadReport())


@pytest.mark.parametrize("language", UNSEGMENTED)
def test_words_that_touch_are_refused(language):
    with pytest.raises(RnnlmError, match=r"`tokenizer=unicode`, jieba \(for Chinese\) or bpe.*`level=char`"):
        read(UNSEGMENTED[language])


@pytest.mark.parametrize(
    "text",
    [
        "同样 ， 施力 的 大小 不同 ， 引起 的 加速 度 不同 。",
        "吾輩 は 猫 で ある 。 名前 は まだ 無い 。 コミュニケーション が ない 。",
        "กรุงเทพมหานคร เป็น เมืองหลวง ของ ประเทศ ไทย",
        "မြန်မာ နိုင်ငံ သည် အရှေ့တောင် အာရှ တွင် ရှိ သော နိုင်ငံ ဖြစ် သည်",
        "한국어는 띄어쓰기를 합니다. 그래서 괜찮습니다.",
        "Most of this is English, and a few words are 同样施力的大小不同引起的, which is no harm to it.",
        "Donaudampfschifffahrtsgesellschaft " * 9,
        "",
    ],
)
def test_words_that_stand_apart_are_not(text):
    read(text)


def test_the_beginning_of_a_text_decides(monkeypatch):
    monkeypatch.setattr(scripts, "LOOKED_AT", 20)
    read("English words come first.", UNSEGMENTED["Chinese"])
    pieces = (Piece(UNSEGMENTED["Chinese"], begins_document=True) for _ in range(10**12))
    with pytest.raises(RnnlmError, match="script without spaces"):
        refuse_unsegmented(pieces, ReadReport())


def test_which_texts_have_no_spaces():
    assert are_unsegmented([UNSEGMENTED["Chinese"]])
    assert not are_unsegmented(["Words with spaces.", "两个年轻的"])
    assert not are_unsegmented([])


def test_a_few_words_that_touch_are_said():
    report = ReadReport()
    read("These are ten English words, and more of them follow. " * 9, UNSEGMENTED["Chinese"], report=report)
    [message] = report.messages()
    assert "4% of the text is in runs without spaces such as '同样施力的大小不同" in message
    assert "`tokenizer=unicode`" in message


def test_turkish_is_told_by_its_letters():
    turkish = ["kırmızı", "ışığın", "altında", "yağmur", "yağıyordu", "ve", "ağaçların", "yaprakları"]
    assert is_turkish(turkish, [1] * len(turkish))
    others = ["the", "şoseaua", "drumului", "este", "lungă", "façade", "garçon"]
    assert not is_turkish(others, [1] * len(others))
    assert not is_turkish(["the", "ağ"], [1000, 1])
