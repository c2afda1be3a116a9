"""A sentence or two of many languages, by the encoding in which texts of them may come."""

LANGUAGES = {
    "cp1252": [
        (
            "Le garçon a mangé des crêpes à la fête de Noël, où sa mère était très fatiguée. Ça va, dit-il, "
            "c’était bon « comme ça ». Les élèves étudient la géographie et préfèrent les vacances d’été."
        ),
        (
            "Die Mädchen fuhren über die Straße, während draußen schöne Vögel sangen. „Größe ist nicht "
            "alles“, sagte der Bäcker aus Köln. Für die Übung braucht man Äpfel und Öl."
        ),
        (
            "El niño comió mañana en el jardín de España. ¿Qué pasó después? ¡Nadie lo sabía! La canción del "
            "corazón era única y difícil, según el árbol."
        ),
        (
            "A situação não é fácil, mas você já sabe que as crianças estão lá. O coração da nação "
            "portuguesa é também a língua: informação, avô, três irmãos."
        ),
        (
            "Flickan åkte över ån för att köpa ägg och smör. Två små öar låg långt från kusten, där båtarna "
            "väntade på våren."
        ),
        (
            "Rødgrød med fløde er en dansk ret, som børn får på en sommerdag. Håret blæste i vinden, og "
            "ærlig talt så det sjovt ud."
        ),
        (
            "It’s the “best” café in town — we don’t know why, though. The naïve waiter’s résumé wasn’t "
            "long… but it’s £5 for a coffee."
        ),
        ("La città è più bella perché c'è il sole. Però, così non si può: il caffè è già finito, lunedì tornerò."),
        (
            "Drengurinn fór í skólann því að hann vildi læra. Dagurinn var fallegur og sólin skein bjart "
            "yfir Reykjavík. Það er þó gott að búa á Íslandi."
        ),
        "Die Mädchen mögen Käse und Brötchen. El niño comió en el jardín de España. Größe süß.",
    ],
    "cp1250": [
        (
            "Zażółć gęślą jaźń. Chłopiec poszedł do szkoły, żeby się uczyć. Dzień był piękny, a słońce "
            "świeciło mocno nad łąką."
        ),
        (
            "Příliš žluťoučký kůň úpěl ďábelské ódy. Děti šly do školy a učitelka jim řekla, že dnes bude "
            "krásný den."
        ),
        (
            "Árvíztűrő tükörfúrógép. A kislány elment az iskolába, hogy új könyveket vegyen. Szép idő volt, "
            "és a nap sütött."
        ),
    ],
    "cp1251": [
        (
            "Мальчик пошёл в школу, потому что хотел учиться. День был прекрасный, и солнце светило ярко. "
            "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему."
        ),
        (
            "Хлопчик пішов до школи, бо хотів учитися. Їжак їв яблука, а сонце світило яскраво над Києвом. "
            "Це було дуже гарно."
        ),
        "Момчето отиде на училище, защото искаше да учи. Денят беше прекрасен и слънцето грееше ярко.",
        (
            "Дечак је отишао у школу јер је желео да учи. Дан је био леп, а сунце је сјајно сијало. Ђак, "
            "љубав, њива, ћуп."
        ),
    ],
    "koi8_r": [
        (
            "Мальчик пошёл в школу, потому что хотел учиться. День был прекрасный, и солнце светило ярко. "
            "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему."
        ),
    ],
    "cp866": [
        (
            "Мальчик пошёл в школу, потому что хотел учиться. День был прекрасный, и солнце светило ярко. "
            "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему."
        ),
    ],
    "cp1253": [
        "Το παιδί πήγε στο σχολείο γιατί ήθελε να μάθει. Η μέρα ήταν όμορφη και ο ήλιος έλαμπε δυνατά.",
    ],
    "iso8859_7": [
        "Το παιδί πήγε στο σχολείο γιατί ήθελε να μάθει. Η μέρα ήταν όμορφη και ο ήλιος έλαμπε δυνατά.",
    ],
    "cp1254": [
        (
            "Çocuk okula gitti çünkü öğrenmek istiyordu. Güneş parlıyordu ve gün çok güzeldi. Şimdi "
            "İstanbul'da ağaçlar yeşil, ılık bir rüzgâr esiyor."
        ),
    ],
    "cp1255": [
        "הילד הלך לבית הספר כי הוא רצה ללמוד. היום היה יפה והשמש זרחה חזק. כל המשפחות המאושרות דומות זו לזו.",
    ],
    "cp1256": [
        (
            "ذهب الولد إلى المدرسة لأنه أراد أن يتعلم. كان اليوم جميلا وكانت الشمس مشرقة. كل العائلات "
            "السعيدة متشابهة."
        ),
    ],
    "cp1257": [
        (
            "Vaikas nuėjo į mokyklą, nes norėjo mokytis. Diena buvo graži, šviesi, ir saulė švietė ryškiai "
            "virš ąžuolų."
        ),
    ],
    "cp874": [
        "เด็กไปโรงเรียนเพราะเขาอยากเรียนรู้ วันนี้อากาศดีและแดดแรงมาก ทุกครอบครัวที่มีความสุขก็คล้ายกัน",
    ],
    "gb18030": [
        "男孩去上学,因为他想学习。今天天气很好,阳光明媚。幸福的家庭都是相似的,不幸的家庭各有各的不幸。我们一起去公园玩吧!",
    ],
    "big5": [
        "男孩去上學,因為他想學習。今天天氣很好,陽光明媚。幸福的家庭都是相似的,不幸的家庭各有各的不幸。我們一起去公園玩吧!",
    ],
    "shift_jis": [
        "少年は勉強したかったので学校へ行きました。今日はとても良い天気で、太陽が明るく輝いていました。幸福な家庭はどれも似たものだ。",
    ],
    "euc_jp": [
        "少年は勉強したかったので学校へ行きました。今日はとても良い天気で、太陽が明るく輝いていました。幸福な家庭はどれも似たものだ。",
    ],
    "euc_kr": [
        (
            "소년은 공부하고 싶어서 학교에 갔습니다. 오늘은 날씨가 아주 좋고 햇살이 밝았습니다. "
            "행복한 가정은 모두 비슷하다."
        ),
    ],
    "mac_roman": [
        (
            "Le garçon a mangé des crêpes à la fête de Noël, où sa mère était très fatiguée. Ça va, dit-il, "
            "c’était bon « comme ça ». Les élèves étudient la géographie."
        ),
    ],
    "cp850": [
        (
            "Die Mädchen fuhren über die Straße, während draußen schöne Vögel sangen. Größe ist nicht alles, "
            "sagte der Bäcker aus Köln."
        ),
    ],
    "iso8859_2": [
        "Băiatul a mers la şcoală pentru că voia să înveţe. Ziua era frumoasă.",
    ],
}
