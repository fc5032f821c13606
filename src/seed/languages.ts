/** What people of one language are called, and what they say. */
export type Language = {
  /** Letters and digits as handles have them, and the name as it is written. */
  readonly names: readonly (readonly [handle: string, displayName: string])[];
  readonly titles: readonly string[];
  readonly sentences: readonly string[];
  /** Between sentences; nothing in scripts that need no space. */
  readonly space: string;
};

/** All of it written for Rookery. */
export const LANGUAGES: readonly Language[] = [
  {
    names: [
      ['maud', 'Maud Ashgrove'],
      ['owen', 'Owen Tarrant'],
      ['ivy', 'Ivy Penhallow'],
      ['silas', 'Silas Brook'],
    ],
    titles: ['Harbour release', 'Kitchen garden', 'Night shift', 'Design review'],
    space: ' ',
    sentences: [
      'The build is green again.',
      'Who has the key to the boathouse?',
      'I moved the meeting to Thursday, as the ferry is late.',
      'Thanks, that was exactly the missing piece.',
      'Let us keep the old index until the new one has proved itself.',
      'Lunch?',
      'Three customers asked for it this week, and none of them could say why.',
      'I will write it down tonight.',
      'It works on my machine, which is the problem.',
      'Please look at the second graph before you answer.',
    ],
  },
  {
    names: [
      ['greta', 'Greta Öhlschläger'],
      ['jonas', 'Jonas Weißgerber'],
      ['frieda', 'Frieda Kühnel'],
    ],
    titles: ['Straßenfest', 'Übergabe der Schicht', 'Lesekreis'],
    space: ' ',
    sentences: [
      'Die Brücke ist bis Freitag gesperrt.',
      'Wer bringt den Kuchen mit?',
      'Ich habe die Größe der Warteschlange verdoppelt, geholfen hat es nicht.',
      'Bitte die Schlüssel wieder an den Haken hängen.',
      'Genau so hatte ich es gemeint!',
      'Die Messung läuft noch, Geduld.',
      'Können wir das morgen früh in Ruhe ansehen?',
      'Der Fehler tritt nur bei vollem Mond und leerem Cache auf.',
    ],
  },
  {
    names: [
      ['lucie', 'Lucie Desœuvres'],
      ['amaury', 'Amaury Lefèvre'],
      ['noemie', 'Noémie Garçonnet'],
    ],
    titles: ['Marché du samedi', 'Équipe de nuit', 'Traduction'],
    space: ' ',
    sentences: [
      'Le déploiement est terminé, tout va bien.',
      'Où as-tu rangé les affiches ?',
      'J’ai relu le texte : il reste deux coquilles.',
      'On se retrouve devant le théâtre à sept heures.',
      'Ça, c’est une bonne nouvelle !',
      'La sauvegarde a pris plus de temps que prévu.',
      'Peux-tu vérifier la mesure avant que je l’envoie ?',
      'Le chat dort encore sur le serveur.',
    ],
  },
  {
    names: [
      ['ines', 'Inés Camposeco'],
      ['mateo', 'Mateo Ibarrola'],
      ['lola', 'Lola Núñez del Río'],
    ],
    titles: ['Huerto común', 'Guardia de agosto', 'Imprenta'],
    space: ' ',
    sentences: [
      '¿Alguien ha visto el informe de ayer?',
      'Ya está corregido, probad otra vez.',
      'La impresora vuelve a pedir tinta azul.',
      '¡Qué alegría, por fin funciona!',
      'Mañana no estaré, pero dejo todo preparado.',
      'El tren llega con veinte minutos de retraso.',
      'Mejor lo hacemos en dos pasos pequeños.',
      'He añadido una prueba que falla sin el cambio.',
    ],
  },
  {
    names: [
      ['lanying', '苏兰英'],
      ['zhiyuan', '顾志远'],
      ['xiaohe', '江晓荷'],
    ],
    titles: ['周末爬山', '发布计划', '读书小组'],
    space: '',
    sentences: [
      '新版本已经上线了。',
      '谁把会议室的钥匙拿走了？',
      '我把队列的上限改小了，请再测一次。',
      '今天的数据比昨天整齐多了！',
      '午饭吃面还是吃饺子？',
      '先别合并，还有一个测试没有通过。',
      '明天下雨，记得带伞。',
      '这个问题只在夜里出现，真奇怪。',
    ],
  },
  {
    names: [
      ['haruka', '水城はるか'],
      ['sota', '北原颯太'],
      ['mio', '野々村みお'],
    ],
    titles: ['夜間当番', '花見の準備', '翻訳チーム'],
    space: '',
    sentences: [
      'テストは全部通りました。',
      '明日の打ち合わせは十時からです。',
      'このグラフ、少し変ではありませんか？',
      'ありがとうございます、助かりました！',
      '再起動したら直りましたが、原因はまだ分かりません。',
      '駅前のパン屋に寄ってから行きます。',
      '資料を更新したので見てください。',
      '猫がキーボードの上で寝ています。',
    ],
  },
  {
    names: [
      ['malee', 'มาลี ทองสุขใส'],
      ['anan', 'อนันต์ ริมธาร'],
    ],
    titles: ['ทีมเวรดึก', 'ตลาดเช้าวันเสาร์'],
    space: ' ',
    sentences: [
      'ระบบกลับมาใช้งานได้แล้ว',
      'ใครยืมสายไฟเส้นยาวไป',
      'พรุ่งนี้ประชุมเก้าโมงเช้านะ',
      'ขอบคุณมาก ช่วยได้เยอะเลย',
      'กราฟนี้ดูแปลก ๆ ลองดูอีกทีได้ไหม',
      'ฝนตกหนัก รถติดทั้งเมือง',
      'แก้ไขเอกสารเสร็จแล้วเมื่อคืน',
    ],
  },
  {
    names: [
      ['salma', 'سلمى الورداني'],
      ['yazan', 'يزن الكرمي'],
      ['huda', 'هدى البستاني'],
    ],
    titles: ['فريق النشر', 'نزهة الجمعة'],
    space: ' ',
    sentences: [
      'انتهى النشر بنجاح.',
      'من أخذ مفتاح المستودع؟',
      'سأكتب الملخص بعد الغداء.',
      'النتائج اليوم أفضل من الأمس!',
      'أرجو مراجعة الصفحة الثانية قبل الإرسال.',
      'تأخر القطار مرة أخرى.',
      'أضفت اختباراً يفشل بدون هذا التغيير.',
    ],
  },
  {
    names: [
      ['kavya', 'काव्या राजवंश'],
      ['nilesh', 'नीलेश अम्बेकर'],
    ],
    titles: ['रात की पाली', 'रविवार की सैर'],
    space: ' ',
    sentences: [
      'नया संस्करण चालू हो गया है।',
      'चाबी किसके पास है?',
      'कल की बैठक ग्यारह बजे होगी।',
      'बहुत बढ़िया, यही चाहिए था!',
      'आज आँकड़े कुछ अलग दिख रहे हैं।',
      'बारिश रुके तो निकलते हैं।',
      'मैंने जाँच दोबारा चलाई, सब ठीक है।',
    ],
  },
  {
    names: [
      ['varya', 'Варя Озерцова'],
      ['gleb', 'Глеб Тихомолов'],
      ['zlata', 'Злата Ясенева'],
    ],
    titles: ['Ночная смена', 'Дачный совет', 'Перевод'],
    space: ' ',
    sentences: [
      'Сборка снова зелёная.',
      'Кто взял ключ от мастерской?',
      'Перенесём встречу на четверг, паром опаздывает.',
      'Спасибо, именно этого и не хватало!',
      'Ошибка появляется только ночью.',
      'Я допишу отчёт к вечеру.',
      'Проверь, пожалуйста, второй график.',
      'Чайник опять отключил весь этаж.',
    ],
  },
  {
    names: [
      ['minseo', '한민서'],
      ['haneul', '윤하늘'],
    ],
    titles: ['배포 준비', '주말 등산'],
    space: ' ',
    sentences: [
      '배포가 끝났습니다.',
      '회의실 열쇠 누가 가져갔어요?',
      '오늘 그래프가 조금 이상하네요.',
      '고마워요, 큰 도움이 됐어요!',
      '내일은 비가 온대요.',
      '테스트를 하나 더 추가했습니다.',
    ],
  },
  {
    names: [
      ['chiara', 'Chiara Montalbetti'],
      ['tomas', 'Tomáš Řehořek'],
      ['zeynep', 'Zeynep Işıkgün'],
    ],
    titles: ['Cena di squadra', 'Čtenářský kroužek', 'Gece nöbeti'],
    space: ' ',
    sentences: [
      'La prova di stasera è spostata alle nove.',
      'Příliš mnoho závislostí, zkusme to bez nich.',
      'Ölçümler bitti, sonuçlar güzel görünüyor!',
      'Perché il grafico scende proprio lì?',
      'Děkuji, už to běží.',
      'Yarın sabah erkenden bakarım.',
    ],
  },
];

/** Of all languages, in the order in which people come to them. */
export const EMOJI = ['👍', '🎉', '❤️', '😂', '👀', '🙏', '🚀', '👩🏽‍🚀', '🇯🇵', '✅'] as const;
